import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { until } from '#deploy/demo/until.ts';
import { isErrno } from '#deploy/local/children.ts';
import { configMap, configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

/** helm killed in the middle of a rollback, an uninstall, a test; releases that never become ready; hooks that fail; tests that never end. */

const releases = useReleases('hbd');
const { app } = releases;
const colourOf = async (name: string) => at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'colour');
const statuses = async (name: string) => (await releases.history('north', name)).map((one) => one.split(' ')[1]);
const jobPath = (name: string): string => `/apis/batch/v1/namespaces/apps-a/jobs/${name}`;
const bystander = (): string => `${app.id}-bystander`;

/** A Job that is suspended never completes. */
const job = (name: string, hook: string | null): string => `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-${name}
${hook === null ? '' : `  annotations: {helm.sh/hook: ${hook}}\n`}spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: example.invalid/a}]
`;
/** Refused by the API server once `broken` is set. */
const BREAKABLE = `${COLOURED}{{- if .Values.broken }}\nimmutable: "not a boolean"\n{{- end }}\n`;

beforeAll(async () => {
  await app.onCluster('north', 'POST', '/api/v1/namespaces/apps-a/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: bystander() },
    data: { mine: 'yes' },
  });
});
/** Nothing is deleted that no release owns. */
afterAll(async () => {
  expect(at((await app.live('north', configMapPath(bystander()))) ?? {}, 'data', 'mine')).toBe('yes');
  await app.onCluster('north', 'DELETE', configMapPath(bystander()));
});

/** The helm that the plane started for one action on one release, in its sandbox. */
async function helmOf(action: string, release: string): Promise<number | null> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words[0] === '/tool/helm' && words[1] === action && words[2] === release) return Number(name);
  }
  return null;
}

/** One that ended meanwhile needs no killing. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

async function killHelm(action: string, release: string): Promise<void> {
  const shown = async () => JSON.stringify(await releases.status(release));
  kill(await until(`helm ${action} ${release} runs`, 60_000, 50, () => helmOf(action, release), shown));
}

const hookRuns = (name: string): Promise<true> =>
  until(
    `the hook ${name} is there`,
    60_000,
    50,
    async () => ((await app.live('north', jobPath(name))) === null ? null : true),
    async () => name,
  );

async function gone(name: string): Promise<void> {
  await until(
    `the definition ${name} is gone`,
    60_000,
    100,
    async () => ((await app.get('HelmRelease', name)).status === 404 ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
}

test('helm killed in a rollback: the condition says so, the record is not left pending, and a mended definition goes on', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': BREAKABLE, 'hook.yaml': job('hook', 'pre-rollback') });
  const name = await releases.release('rollback', { timeout: '60s', values: { colour: 'blue' }, upgrade: { remediation: { retries: 3 } } });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  await app.patch('HelmRelease', name, { spec: { values: { colour: 'green', broken: true } } });
  await hookRuns(`${name}-hook`);
  expect((await statuses(name)).at(-1)).toBe('pending-rollback');
  await killHelm('rollback', name);
  await expect.poll(async () => (await releases.condition(name, 'Remediated'))?.['reason'], { timeout: 30_000 }).toBe('RollbackFailed');
  expect(at((await releases.condition(name, 'Ready')) ?? {}, 'status')).not.toBe('True');
  expect(await colourOf(name)).toBe('blue');
  await app.patch('HelmRelease', name, { spec: { values: { colour: 'green', broken: null }, rollback: { disableHooks: true } } });
  await releases.ready(name, 'True', 'UpgradeSucceeded');
  expect(await colourOf(name)).toBe('green');
  expect((await statuses(name)).filter((one) => one?.startsWith('pending'))).toEqual([]);
  await app.onCluster('north', 'DELETE', jobPath(`${name}-hook`));
});

test('helm killed in an uninstall: the definition stays with the reason, and leaves once the uninstall went through', {
  timeout: 180_000,
}, async () => {
  await releases.chart('2.0.0', { 'map.yaml': COLOURED, 'hook.yaml': job('hook', 'pre-delete') });
  const name = await releases.release('uninstall', { timeout: '60s', values: { colour: 'blue' } });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  await app.remove('HelmRelease', name);
  await hookRuns(`${name}-hook`);
  // A run that began before the deletion had reached its delivery is overtaken, and another one begins: what counts is one that was killed and recorded.
  await until('the uninstall failed', 60_000, 50, async () => {
    if ((await releases.condition(name, 'Ready'))?.['reason'] === 'UninstallFailed') return true;
    const pid = await helmOf('uninstall', name);
    if (pid !== null) kill(pid);
    return null;
  });
  expect((await app.get('HelmRelease', name)).status).toBe(200);
  expect(await statuses(name)).toEqual(['uninstalling']);
  await app.patch('HelmRelease', name, { spec: { uninstall: { disableHooks: true } } });
  await gone(name);
  expect(await colourOf(name)).toBeUndefined();
  expect(await releases.helm('north', 'ls', '--short')).not.toContain(name);
  await app.onCluster('north', 'DELETE', jobPath(`${name}-hook`));
});

test('helm killed in a test, and a test that never ends, are failed tests with a condition; the release stays', {
  timeout: 180_000,
}, async () => {
  await releases.chart('3.0.0', { 'map.yaml': COLOURED, 'hook.yaml': job('hook', 'test') });
  const killed = await releases.release('test', { timeout: '60s', values: { colour: 'blue' }, test: { enable: true } });
  const endless = await releases.release('endless', { values: { colour: 'blue' }, test: { enable: true, timeout: '4s' } });
  await app.place([killed, endless], ['north'], 'HelmRelease');
  await hookRuns(`${killed}-hook`);
  await killHelm('test', killed);
  for (const name of [killed, endless]) {
    await releases.ready(name, 'False', 'RetriesExceeded');
    expect(await releases.condition(name, 'TestSuccess')).toMatchObject({ status: 'False', reason: 'TestFailed' });
    expect(await colourOf(name)).toBe('blue');
    expect(await statuses(name)).toEqual(['deployed']);
  }
  expect(at((await releases.condition(endless, 'TestSuccess')) ?? {}, 'message')).toMatch(/timed out|deadline|not ready/i);
  for (const name of [killed, endless]) await app.onCluster('north', 'DELETE', jobPath(`${name}-hook`));
});

test('an upgrade that never becomes ready, and one whose hook fails, end in a condition and go back to the last good release', {
  timeout: 180_000,
}, async () => {
  await releases.chart('4.0.0', { 'map.yaml': COLOURED, 'hook.yaml': '' });
  const spec = { values: { colour: 'blue' }, upgrade: { timeout: '4s', remediation: { retries: 0, remediateLastFailure: true } } };
  const name = await releases.release('never', spec);
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  await releases.chart('4.1.0', { 'map.yaml': COLOURED.replace('\ndata:', '\ndata:\n  version: new'), 'hook.yaml': job('never', null) });
  expect(await releases.ready(name, 'False', 'RetriesExceeded')).toContain('Helm rollback to previous release');
  expect(await releases.condition(name, 'Released')).toMatchObject({ status: 'False', reason: 'UpgradeFailed' });
  expect(at((await releases.condition(name, 'Released')) ?? {}, 'message')).toMatch(/timed out|deadline|not ready/i);
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data')).toEqual({ colour: 'blue' });
  expect(await app.live('north', jobPath(`${name}-never`))).toBe(null);

  const failing = `${configMap('{{ .Release.Name }}-hook', {})}immutable: "no"\n`.replace(
    'metadata:\n',
    'metadata:\n  annotations: {helm.sh/hook: pre-upgrade}\n',
  );
  await releases.chart('4.2.0', { 'map.yaml': COLOURED.replace('\ndata:', '\ndata:\n  version: hook'), 'hook.yaml': failing });
  await expect
    .poll(async () => at((await releases.condition(name, 'Released')) ?? {}, 'message'), { timeout: 60_000 })
    .toMatch(/@4\.2\.0: helm upgrade failed: .*pre-upgrade/);
  await releases.ready(name, 'False', 'RetriesExceeded');
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data')).toEqual({ colour: 'blue' });
  expect((await statuses(name)).at(-1)).toBe('deployed');
});

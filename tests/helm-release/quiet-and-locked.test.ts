import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { at, parseJson, textAt } from '#core/json.ts';
import { until } from '#deploy/demo/until.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hql');
const { app } = releases;

/** Requests to the cluster that concern this release, watches apart, as the API server itself wrote them down. */
async function requestsAbout(name: string): Promise<number> {
  const file = app.demo().workloadClusters.find((one) => one.name === 'north')?.auditLog ?? '';
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes(name) && !line.includes('"verb":"watch"'));
  return lines.filter((line) => (textAt(parseJson(line), 'user', 'username') ?? '').startsWith('system:serviceaccount:')).length;
}

test('a release that is in sync costs no request, run after run; a look that is asked for reads the records once', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED });
  const name = await releases.release('quiet', { interval: '1s', driftDetection: { mode: 'enabled' } });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True');
  await sleep(3_000);
  const before = await requestsAbout(name);
  expect(before).toBeGreaterThan(0);
  await sleep(6_000);
  expect(await requestsAbout(name)).toBe(before);
  await app.patch('HelmRelease', name, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } });
  await expect.poll(async () => at(await releases.status(name), 'lastHandledReconcileAt'), { timeout: 30_000 }).toBe('now');
  await expect.poll(() => requestsAbout(name), { timeout: 30_000 }).toBeGreaterThan(before);
});

const HANGING = `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-never
  annotations: {helm.sh/hook: pre-upgrade}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: example.invalid/a}]
`;

test('a helm that was killed in the middle leaves a locked release, which is unlocked and goes on', { timeout: 180_000 }, async () => {
  await releases.chart('1.1.0', { 'map.yaml': COLOURED, 'never.yaml': HANGING });
  const name = await releases.release('locked', { values: { colour: 'blue' }, upgrade: { disableHooks: true } });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  const { helm } = await loadToolPaths({ only: ['helm'] });
  const kubeconfig = app.demo().workloadClusters.find((one) => one.name === 'north')?.kubeconfig ?? '';
  const copy = app.chartFolder();
  const killed: ChildProcess = spawn(
    helm,
    ['upgrade', name, copy, '--namespace', 'apps-a', '--kubeconfig', kubeconfig, '--set', 'colour=red'],
    { stdio: 'ignore' },
  );
  const job = `/apis/batch/v1/namespaces/apps-a/jobs/${name}-never`;
  await until(
    'the hook is there',
    30_000,
    50,
    async () => ((await app.live('north', job)) === null ? null : true),
    async () => JSON.stringify(await releases.history('north', name)),
  );
  killed.kill('SIGKILL');
  await until(
    'the release goes on',
    60_000,
    100,
    async () => ((await releases.history('north', name)).at(-1)?.split(' ')[1] === 'deployed' ? true : null),
    async () => JSON.stringify([await releases.history('north', name), await releases.status(name)]),
  );
  await releases.ready(name, 'True', 'UpgradeSucceeded');
  expect((await releases.history('north', name)).map((one) => one.split(' ')[1])).toEqual(['superseded', 'failed', 'deployed']);
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'colour')).toBe('blue');
  await app.onCluster('north', 'DELETE', job);
});

test('a definition that is deleted in the middle of its first install leaves no release behind, and one of somebody else stays', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.2.0', { 'map.yaml': COLOURED, 'never.yaml': HANGING.replace('pre-upgrade', 'pre-install') });
  const name = await releases.release('cut', { timeout: '2m' });
  await app.place([name], ['north'], 'HelmRelease');
  const job = `/apis/batch/v1/namespaces/apps-a/jobs/${name}-never`;
  await until(
    'the hook is there',
    60_000,
    50,
    async () => ((await app.live('north', job)) === null ? null : true),
    async () => JSON.stringify(await releases.status(name)),
  );
  expect((await releases.history('north', name)).map((one) => one.split(' ')[1])).toEqual(['pending-install']);
  await app.remove('HelmRelease', name);
  await until(
    'the definition is gone',
    60_000,
    100,
    async () => ((await app.get('HelmRelease', name)).status === 404 ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
  expect(await releases.helm('north', 'ls', '--short')).not.toContain(name);
  await app.onCluster('north', 'DELETE', job);

  await releases.chart('1.3.0', { 'map.yaml': COLOURED, 'never.yaml': '' });
  const theirs = `${app.id}-theirs`;
  await releases.helm('north', 'install', theirs, app.chartFolder());
  await releases.release('theirs', {
    targetNamespace: 'apps-a',
    values: { broken: true },
    chartRef: { kind: 'HelmChart', name: 'nowhere' },
  });
  await app.place([theirs], ['north'], 'HelmRelease');
  await releases.ready(theirs, 'False', 'ArtifactFailed');
  await app.remove('HelmRelease', theirs);
  await until(
    'the definition is gone',
    60_000,
    100,
    async () => ((await app.get('HelmRelease', theirs)).status === 404 ? true : null),
    async () => JSON.stringify(await releases.status(theirs)),
  );
  expect(await releases.helm('north', 'ls', '--short')).toContain(theirs);
  await releases.helm('north', 'uninstall', theirs);
});

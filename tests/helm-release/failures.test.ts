import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hf');
const { app } = releases;

/** Refused by the API server once `broken` is set. */
const BREAKABLE = `${COLOURED}{{- if .Values.broken }}\nimmutable: "not a boolean"\n{{- end }}\n`;
const colourOf = async (name: string) => at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'colour');

test('a failed upgrade with retries is rolled back, tried again, and then stalls with the last good release running', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': BREAKABLE });
  const name = await releases.release('back', { values: { colour: 'blue' }, upgrade: { remediation: { retries: 1 } } });
  await app.place([name], ['north'], 'HelmRelease');
  expect(await releases.ready(name, 'True', 'InstallSucceeded')).toBe(
    `Helm install succeeded for release apps-a/${name}.v1 with chart ${app.id}@1.0.0`,
  );
  await app.patch('HelmRelease', name, { spec: { values: { colour: 'green', broken: true } } });
  const message = await releases.ready(name, 'False', 'RetriesExceeded');
  expect(message).toContain('Failed to upgrade after 2 attempt(s)');
  expect(message).toContain('Helm rollback to previous release');
  expect(await releases.condition(name, 'Remediated')).toMatchObject({ status: 'True', reason: 'RollbackSucceeded' });
  expect(await releases.condition(name, 'Released')).toMatchObject({ status: 'False', reason: 'UpgradeFailed' });
  expect(await colourOf(name)).toBe('blue');
  expect((await releases.history('north', name)).map((one) => one.split(' ')[1])).toEqual([
    'superseded',
    'failed',
    'superseded',
    'failed',
    'deployed',
  ]);
  expect(await releases.status(name)).toMatchObject({ upgradeFailures: 2, lastAttemptedReleaseAction: 'upgrade' });

  await app.patch('HelmRelease', name, { spec: { values: { colour: 'green', broken: null } } });
  await releases.ready(name, 'True', 'UpgradeSucceeded');
  expect(await colourOf(name)).toBe('green');
  expect(await releases.condition(name, 'Remediated')).toBe(null);
  expect(at(await releases.status(name), 'upgradeFailures')).toBe(0);
});

test('a failed install stalls after its only attempt, and a reset lets it try again', { timeout: 120_000 }, async () => {
  await releases.chart('1.0.1', { 'map.yaml': BREAKABLE });
  const name = await releases.release('stuck', {
    values: { broken: true },
    install: { remediation: { retries: 0, remediateLastFailure: true } },
  });
  await app.place([name], ['north'], 'HelmRelease');
  expect(await releases.ready(name, 'False', 'RetriesExceeded')).toContain('Failed to install after 1 attempt(s)');
  expect(await releases.condition(name, 'Remediated')).toMatchObject({ status: 'True', reason: 'UninstallSucceeded' });
  expect(await releases.helm('north', 'ls')).not.toContain(name);
  const at1 = '2026-01-01T00:00:00Z';
  await app.patch('HelmRelease', name, {
    metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': at1, 'reconcile.fluxcd.io/resetAt': at1 } },
  });
  await expect.poll(async () => at(await releases.status(name), 'lastHandledResetAt'), { timeout: 60_000 }).toBe(at1);
});

test('values that are missing or no map are said by name, without their content', { timeout: 120_000 }, async () => {
  await releases.chart('1.0.2', { 'map.yaml': COLOURED });
  const secret = `${app.id}-values`;
  const name = await releases.release('values', {
    valuesFrom: [{ kind: 'Secret', name: secret, valuesKey: 'colour', targetPath: 'colour' }],
    values: { colour: 'inline' },
  });
  await app.place([name], ['north'], 'HelmRelease');
  expect(await releases.ready(name, 'False', 'ValuesError')).toContain(`Secret 'team-a/${secret}' not found`);
  await app.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret, namespace: 'team-a' },
    stringData: { colour: 'canary-7f3a91' },
  });
  await releases.ready(name, 'True');
  expect(await colourOf(name)).toBe('canary-7f3a91');
  expect(JSON.stringify(await releases.status(name))).not.toContain('canary');
});

test('a single value of a Secret is masked in what the cluster says about it', { timeout: 120_000 }, async () => {
  await releases.chart('1.0.3', { 'map.yaml': `${COLOURED}immutable: {{ .Values.login.password | quote }}\n` });
  const secret = `${app.id}-login`;
  const text = 'login:\n  password: canary-91be40\n  user: somebody\n';
  await app.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret, namespace: 'team-a' },
    stringData: { 'values.yaml': text },
  });
  const name = await releases.release('masked', { valuesFrom: [{ kind: 'Secret', name: secret }] });
  await app.place([name], ['north'], 'HelmRelease');
  const message = await releases.ready(name, 'False', 'RetriesExceeded');
  expect(message).toContain('***');
  expect(JSON.stringify(await releases.status(name))).not.toContain('canary-91be40');
});

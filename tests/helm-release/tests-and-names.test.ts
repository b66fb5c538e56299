import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('htn');
const { app } = releases;

const testHook = (immutable: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-check
  annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation}
${immutable}`;

test('tests run once for each release, their result is a condition, and a failing one counts unless it is ignored', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED, 'check.yaml': testHook('') });
  const name = await releases.release('tested', { test: { enable: true } });
  await app.place([name], ['north'], 'HelmRelease');
  expect(await releases.ready(name, 'True', 'TestSucceeded')).toContain('Helm test succeeded for release');
  expect(at(await releases.status(name), 'history', '0', 'testHooks') ?? at(await releases.status(name), 'history')).toBeTruthy();
  await releases.chart('1.0.1', { 'map.yaml': COLOURED, 'check.yaml': testHook('immutable: "no"\n') });
  await expect.poll(async () => (await releases.condition(name, 'TestSuccess'))?.['reason'], { timeout: 60_000 }).toBe('TestFailed');
  await releases.ready(name, 'False', 'RetriesExceeded');
  await app.patch('HelmRelease', name, { spec: { test: { ignoreFailures: true } } });
  await releases.ready(name, 'True');
  expect(await releases.condition(name, 'TestSuccess')).toMatchObject({ status: 'False' });
});

test('another release name installs the release anew and takes the former one away', { timeout: 180_000 }, async () => {
  await releases.chart('1.1.0', { 'map.yaml': COLOURED, 'check.yaml': testHook('') });
  const name = await releases.release('moved');
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  await app.patch('HelmRelease', name, { spec: { releaseName: `${name}-new` } });
  await expect.poll(async () => (await app.live('north', configMapPath(`${name}-new`))) !== null, { timeout: 60_000 }).toBe(true);
  await releases.ready(name, 'True', 'InstallSucceeded');
  expect(await app.live('north', configMapPath(name))).toBe(null);
  const listed = await releases.helm('north', 'ls', '--short');
  expect(listed.split('\n')).toContain(`${name}-new`);
  expect(listed.split('\n')).not.toContain(name);
});

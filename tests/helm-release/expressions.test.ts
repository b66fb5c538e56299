import { expect, test } from 'vitest';
import { at, textAt } from '#core/json.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hx');
const { app } = releases;
const byColour = { apiVersion: 'v1', kind: 'ConfigMap', current: "data.colour == 'blue'", failed: "data.colour == 'black'" };
const colourOf = async (name: string) => at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'colour');

test('a release whose object fails by its expression is a failed release, and remediation rolls it back', {
  timeout: 150_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED });
  const name = await releases.release('rule', {
    values: { colour: 'blue' },
    healthCheckExprs: [byColour],
    upgrade: { remediation: { retries: 0, remediateLastFailure: true } },
  });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  await app.patch('HelmRelease', name, { spec: { values: { colour: 'black' } } });
  await releases.ready(name, 'False', 'RetriesExceeded');
  const released = await releases.condition(name, 'Released');
  expect(released).toMatchObject({ status: 'False', reason: 'UpgradeFailed' });
  expect(textAt(released ?? {}, 'message')).toContain('the failed expression holds');
  expect(await releases.condition(name, 'Remediated')).toMatchObject({ status: 'True', reason: 'RollbackSucceeded' });
  expect(await colourOf(name)).toBe('blue');
  expect((await releases.history('north', name)).map((one) => one.split(' ')[1])).toEqual(['superseded', 'failed', 'deployed']);
});

test('the wait lasts until the expression holds, and no longer than the action may', { timeout: 120_000 }, async () => {
  await releases.chart('1.0.1', { 'map.yaml': COLOURED });
  const name = await releases.release('late', { timeout: '6s', values: { colour: 'green' }, healthCheckExprs: [byColour] });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'False', 'RetriesExceeded');
  expect(textAt((await releases.condition(name, 'Released')) ?? {}, 'message')).toContain('timeout waiting for');
  const good = await releases.release('soon', { timeout: '60s', values: { colour: 'green' }, healthCheckExprs: [byColour] });
  await app.place([good], ['north'], 'HelmRelease');
  await expect.poll(() => colourOf(good), { timeout: 30_000 }).toBe('green');
  await app.onCluster('north', 'PATCH', configMapPath(good), { data: { colour: 'blue' } });
  await releases.ready(good, 'True', 'InstallSucceeded');
});

test('a chart that was composed of two places is installed, and upgraded when its content changes', { timeout: 150_000 }, async () => {
  await releases.chart('2.0.0', { 'map.yaml': COLOURED }, { 'prod/values.yaml': 'colour: violet\n' });
  const made = `${app.id}-chart`;
  await app.create({
    apiVersion: 'source.extensions.fluxcd.io/v1beta1',
    kind: 'ArtifactGenerator',
    metadata: { name: made, namespace: 'team-a' },
    spec: {
      sources: [{ alias: 'repo', kind: 'GitRepository', name: 'podinfo' }],
      artifacts: [
        {
          name: made,
          copy: [
            { from: `@repo/${app.path}/chart`, to: '@artifact/' },
            { from: `@repo/${app.path}/prod/values.yaml`, to: '@artifact/chart/values.yaml', strategy: 'Merge' },
          ],
        },
      ],
    },
  });
  await app.ready(made, 'True', 'Succeeded', 30_000, 'ExternalArtifact');
  const name = await releases.release('composed', { chartRef: { kind: 'ExternalArtifact', name: made } });
  await app.place([name], ['north'], 'HelmRelease');
  const digest = textAt((await app.get('ExternalArtifact', made)).body, 'status', 'artifact', 'digest') ?? '';
  expect(await releases.ready(name, 'True', 'InstallSucceeded')).toContain(`chart ${app.id}@2.0.0+${digest.slice(7, 19)}`);
  expect(await colourOf(name)).toBe('violet');
  await app.pushed({ 'prod/values.yaml': 'colour: white\n' });
  await expect.poll(() => colourOf(name), { timeout: 60_000 }).toBe('white');
});

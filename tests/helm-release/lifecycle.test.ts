import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { until } from '#deploy/demo/until.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hr');
const { app } = releases;

const colourOf = async (cluster: string, name: string) => at((await app.live(cluster, configMapPath(name))) ?? {}, 'data', 'colour');

test('a chart from Git is installed on both clusters as real releases, upgraded by a new version, and uninstalled with the definition', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED });
  const name = await releases.release('web', { values: { colour: 'blue' } });
  await app.place([name], ['north', 'south'], 'HelmRelease');
  expect(await releases.ready(name, 'True')).toContain('2 clusters');
  expect(await colourOf('north', name)).toBe('blue');
  expect(await colourOf('south', name)).toBe('blue');
  expect(await releases.history('north', name)).toEqual([`1 deployed ${app.id}-1.0.0`]);
  expect(at(await releases.status(name), 'helmChart')).toBe(`team-a/team-a-${name}`);
  const live = await app.live('north', configMapPath(name));
  expect(at(live ?? {}, 'metadata', 'labels')).toMatchObject({
    'app.kubernetes.io/managed-by': 'Helm',
    'helm.toolkit.fluxcd.io/name': name,
    'helm.toolkit.fluxcd.io/namespace': 'team-a',
  });

  await releases.chart('1.1.0', { 'map.yaml': COLOURED.replace('\ndata:', '\ndata:\n  added: "yes"') });
  await until(
    'the upgrade arrived',
    60_000,
    100,
    async () => (at((await app.live('south', configMapPath(name))) ?? {}, 'data', 'added') === 'yes' ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
  await releases.ready(name, 'True', 'ReconciliationSucceeded');
  expect(await releases.history('south', name)).toEqual([`1 superseded ${app.id}-1.0.0`, `2 deployed ${app.id}-1.1.0`]);

  await app.remove('HelmRelease', name);
  await until(
    'the release is gone',
    60_000,
    100,
    async () => ((await app.get('HelmRelease', name)).status === 404 ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
  expect(await colourOf('north', name)).toBeUndefined();
  expect(await releases.helm('north', 'ls')).not.toContain(name);
  expect((await app.get('HelmChart', `team-a-${name}`)).status).toBe(404);
});

import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { until } from '#deploy/demo/until.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hd');
const { app } = releases;
const colourOf = async (name: string) => at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'colour');
const paint = (name: string, colour: string) => app.onCluster('north', 'PATCH', configMapPath(name), { data: { colour } });

test('drift is corrected within a moment, reported only in mode warn, and paths that are left to others stay', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED.replace('\ndata:', '\ndata:\n  free: "0"') });
  const name = await releases.release('drift', {
    values: { colour: 'blue' },
    driftDetection: {
      mode: 'enabled',
      ignore: [
        {
          paths: ['/data/free'],
          target: { kind: 'Config.*', name: `${app.id}-(drift|x)`, labelSelector: `helm.toolkit.fluxcd.io/name in (${app.id}-drift)` },
        },
        { paths: ['/data/colour'], target: { labelSelector: '!helm.toolkit.fluxcd.io/name' } },
        { paths: ['/data/colour'], target: { name: 'drift' } },
      ],
    },
  });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  expect(await releases.condition(name, 'Drifted')).toMatchObject({ status: 'False', reason: 'NoDriftDetected' });
  const startedMs = Date.now();
  await paint(name, 'red');
  await until(
    'the drift is healed',
    30_000,
    20,
    async () => ((await colourOf(name)) === 'blue' ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
  const helms = { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': name } };
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'metadata')).toMatchObject(helms);
  process.stdout.write(`measured: drift of a release healed ${Date.now() - startedMs} ms after the change\n`);
  await releases.ready(name, 'True');
  expect((await releases.history('north', name)).length).toBe(1);

  await app.onCluster('north', 'PATCH', configMapPath(name), { data: { free: '1', colour: 'red' } });
  await until(
    'the drift is healed again',
    30_000,
    20,
    async () => ((await colourOf(name)) === 'blue' ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'free')).toBe('1');

  await app.onCluster('north', 'DELETE', configMapPath(name));
  await until(
    'the object is back',
    30_000,
    20,
    async () => ((await colourOf(name)) === 'blue' ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );

  await app.patch('HelmRelease', name, { spec: { driftDetection: { mode: 'warn' } } });
  await releases.ready(name, 'True');
  await paint(name, 'red');
  await expect.poll(async () => at((await releases.condition(name, 'Drifted')) ?? {}, 'status'), { timeout: 30_000 }).toBe('True');
  expect(await colourOf(name)).toBe('red');
  await releases.ready(name, 'True');
});

test('a release that somebody else changed with helm is set back, and one that helm or Flux made is adopted without a restart', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED });
  const name = await releases.release('theirs', { values: { colour: 'blue' } });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True');
  await releases.helm('north', 'rollback', name, '1');
  await until(
    'the foreign rollback is overwritten',
    60_000,
    100,
    async () => ((await releases.history('north', name)).length === 3 ? true : null),
    async () => JSON.stringify(await releases.status(name)),
  );
  await releases.ready(name, 'True');
  expect(await colourOf(name)).toBe('blue');
});

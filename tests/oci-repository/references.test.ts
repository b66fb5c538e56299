import { expect, test } from 'vitest';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { FLUX_LAYER, sha256 } from '#tests/oci/push.ts';
import { tarGz, useScene } from './scene.ts';

const scene = useScene('oci-ref');
const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const url = (repository: string): string => `oci://${scene.front().host}/${repository}`;

async function revisionOf(name: string, spec: JsonObject): Promise<string> {
  const source = await scene.source(name, spec);
  await scene.settled(source, 'True', 'Succeeded');
  return textAt(await scene.status(source), 'artifact', 'revision') ?? '';
}

test('digest wins over semver, semver over tag; a filter comes before the range; _ stands for +', async () => {
  const digests = new Map<string, string>();
  for (const tag of ['latest', '1.0.0', '1.1.0', '1.2.0-rc.1', '2.0.0_build.1', 'nightly'])
    digests.set(tag, (await scene.push('team/refs', tag, { 'a.yaml': `a: ${tag}` })).digest);
  const at = (tag: string): string => `${tag}@${digests.get(tag)}`;
  const of = (name: string, ref: JsonObject) => revisionOf(name, { url: url('team/refs'), ref });
  expect(await of('empty', { tag: '', semver: '', digest: '' })).toBe(at('latest'));
  expect(await of('tag', { tag: '1.0.0' })).toBe(at('1.0.0'));
  expect(await of('plus', { tag: '2.0.0+build.1' })).toBe(at('2.0.0_build.1'));
  expect(await of('semver', { tag: '1.0.0', semver: '1.x' })).toBe(at('1.1.0'));
  expect(await of('highest', { semver: '>=1.0.0' })).toBe(at('2.0.0_build.1'));
  expect(await of('filtered', { semver: '>=1.0.0-0', semverFilter: '-rc[.][0-9]+$' })).toBe(at('1.2.0-rc.1'));
  expect(await of('digest', { digest: digests.get('1.0.0') ?? '', semver: '1.x', tag: 'gone' })).toBe(digests.get('1.0.0'));
});

test('extract packs what the rules leave, without links; copy keeps the bytes and their digest', async () => {
  const chart = tarGz({ 'app/Chart.yaml': 'name: app\nversion: 1.0.0\n', 'app/logo.png': 'p', 'app/templates/cm.yaml': 'kind: ConfigMap' });
  const layers = [
    { mediaType: FLUX_LAYER, bytes: tarGz({ 'a.yaml': 'a', 'b.md': 'b', 'logo.png': 'p', '.sourceignore': 'logo.png\n' }) },
    { mediaType: CHART_LAYER, bytes: chart },
  ];
  await scene.pusher().push('team/layers', 'latest', layers);
  const digestOf = async (name: string, spec: JsonObject): Promise<string> => {
    const source = await scene.source(name, { url: url('team/layers'), ...spec });
    await scene.settled(source, 'True', 'Succeeded');
    return textAt(await scene.status(source), 'artifact', 'digest') ?? '';
  };
  expect(await digestOf('copy', { layerSelector: { mediaType: CHART_LAYER, operation: 'copy' } })).toBe(sha256(chart));
  const extracted = await digestOf('extract', { layerSelector: { mediaType: CHART_LAYER } });
  expect(extracted).not.toBe(sha256(chart));
  const first = await digestOf('first', { ignore: '*.md' });
  expect(first).not.toBe(extracted);
  // The same tree pushed without what the rules name is the same artifact.
  await scene.push('team/same', 'latest', { 'a.yaml': 'a', '.sourceignore': 'logo.png\n' });
  expect(await digestOf('same', { url: url('team/same') })).toBe(first);
});

test('a changed selector or rule builds the known revision anew, a removed one too', async () => {
  const pushed = await scene.push('team/settings', 'latest', { 'a.yaml': 'a', 'b.md': 'b' });
  const source = await scene.source('settings', { url: url('team/settings') });
  await scene.settled(source, 'True', 'Succeeded');
  const plain = textAt(await scene.status(source), 'artifact', 'digest');
  const change = async (spec: JsonObject): Promise<JsonObject> => {
    await scene.app.patch('OCIRepository', source, { spec });
    await scene.settled(source, 'True', 'Succeeded');
    return scene.status(source);
  };
  const filtered = await change({ ignore: '*.md' });
  expect(filtered).toMatchObject({ observedIgnore: '*.md', artifact: { revision: `latest@${pushed.digest}` } });
  expect(textAt(filtered, 'artifact', 'digest')).not.toBe(plain);
  const copied = await change({ layerSelector: { operation: 'copy' } });
  expect(textAt(copied, 'artifact', 'digest')).toBe(pushed.layers[0]?.digest);
  const back = await change({ ignore: null, layerSelector: null });
  expect(textAt(back, 'artifact', 'digest')).toBe(plain);
  expect(at(back, 'observedLayerSelector')).toEqual({});
});

test('of an index the image for linux/amd64 is taken, under the revision of the index', async () => {
  const one = async (arch: string) => ({
    ...(await scene.pusher().push('team/index', null, [{ mediaType: FLUX_LAYER, bytes: tarGz({ 'a.yaml': arch }) }], { arch })),
    platform: { os: 'linux', architecture: arch },
  });
  const manifests = [await one('arm64'), await one('amd64')].map(({ layers: _layers, ...rest }) => rest);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = await scene.pusher().putManifest('team/index', 'latest', { schemaVersion: 2, mediaType, manifests });
  const source = await scene.source('index', { url: url('team/index') });
  await scene.settled(source, 'True', 'Succeeded');
  expect(await scene.status(source)).toMatchObject({ artifact: { revision: `latest@${index.digest}`, metadata: { arch: 'amd64' } } });
});

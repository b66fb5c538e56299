import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { FLUX_LAYER, MANIFEST, sha256 } from '#tests/oci/push.ts';
import { tarEntry, tarGz, useScene } from './scene.ts';

const scene = useScene('oci-evil');
const url = (repository: string): string => `oci://${scene.front().host}/${repository}`;
const good = { 'good.yaml': 'good: 1' } as const;

/** A source that has an artifact already; what comes next must not replace it. */
async function standing(name: string): Promise<Readonly<{ source: string; unharmed(reason: string): Promise<string> }>> {
  const repository = `team/${name}`;
  await scene.push(repository, 'latest', good);
  scene.front().handle(() => false);
  const source = await scene.source(name, { url: url(repository), timeout: '5s' });
  await scene.settled(source, 'True', 'Succeeded');
  const before = (await scene.status(source))['artifact'];
  return {
    source,
    unharmed: async (reason) => {
      const message = await scene.settled(source, 'False', reason);
      expect((await scene.status(source))['artifact']).toEqual(before);
      return message;
    },
  };
}

/** Nothing of a refused layer stays with the worker; other tests of the same plane may be at work just now. */
async function expectNoLeftovers(): Promise<void> {
  // Sources that were refused are tried again: from here on they get what was pushed.
  scene.front().handle(() => false);
  const work = join(dirname(dirname(scene.app.demo().plane.caFile)), 'work');
  const layers = async () => (await readdir(work, { recursive: true })).filter((path) => /(^|\/)oci\/./.test(path));
  expect((await readdir(work, { recursive: true })).some((path) => /(^|\/)oci$/.test(path))).toBe(true);
  await expect.poll(layers, { timeout: 10_000 }).toEqual([]);
}

test('a registry that answers other bytes than a digest names is not believed, for a manifest or a layer', async () => {
  for (const [part, reason] of [
    ['manifests/sha256', 'OCIArtifactPullFailed'],
    ['blobs', 'OCIArtifactLayerOperationFailed'],
  ] as const) {
    const { source, unharmed } = await standing(`lies-${part.slice(0, 5)}`);
    await scene.push(`team/lies-${part.slice(0, 5)}`, 'latest', { 'other.yaml': 'other: 1' });
    scene.front().handle((request, response) => {
      if (request.method !== 'GET' || request.url?.includes(`/${part}`) !== true) return false;
      response.end('{"schemaVersion":2,"layers":[]}');
      return true;
    });
    await scene.again(source);
    expect(await unharmed(reason)).toMatch(/other bytes than|larger than/);
  }
  await expectNoLeftovers();
});

test('D8: a layer that never ends, by bytes or by time, is cut', async () => {
  const endless = (response: ServerResponse): void => {
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  };
  const drip = (response: ServerResponse): void => {
    const timer = setInterval(() => response.write('x'), 200);
    response.once('close', () => clearInterval(timer));
  };
  for (const [name, pour, words] of [
    ['floods', endless, /larger than/],
    ['drips', drip, /did not answer whole within (4\d{3}|5000) ms/],
  ] as const) {
    const { source, unharmed } = await standing(name);
    await scene.push(`team/${name}`, 'latest', { 'other.yaml': 'o'.repeat(5_000) });
    scene.front().handle((request, response) => {
      if (request.url?.includes('/blobs/') !== true) return false;
      pour(response);
      return true;
    });
    await scene.again(source);
    expect(await unharmed('OCIArtifactLayerOperationFailed')).toMatch(words);
  }
  await expectNoLeftovers();
});

test('a layer that says it is too large is not asked for', async () => {
  const { source, unharmed } = await standing('huge');
  const layers = [{ mediaType: FLUX_LAYER, digest: sha256('x'), size: 268_435_457 }];
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, layers });
  scene.front().handle((request, response) => {
    if (request.url?.startsWith('/v2/team/huge/manifests/') !== true) return false;
    response.setHeader('docker-content-digest', sha256(manifest)).end(request.method === 'HEAD' ? '' : manifest);
    return true;
  });
  await scene.again(source);
  expect(await unharmed('OCIArtifactLayerOperationFailed')).toContain('268435457 bytes');
  expect(scene.front().seen.filter(({ path }) => path.startsWith('/v2/team/huge/blobs/'))).toEqual([]);
});

test.each([
  ['climbs', [tarEntry({ path: '../../weir-canary', body: 'x' })]],
  ['is absolute', [tarEntry({ path: '/tmp/weir-canary', body: 'x' })]],
  ['is a hard link', [tarEntry({ path: 'passwd', type: 'Link', linkpath: '/etc/passwd' })]],
  ['is a device', [tarEntry({ path: 'null', type: 'CharacterDevice' })]],
  ['comes twice', [tarEntry({ path: 'good.yaml', body: 'first' })]],
] as const)('D2: a layer with an entry that %s is refused, unpacked or kept', async (what, entries) => {
  const name = what.replaceAll(' ', '-');
  const { source, unharmed } = await standing(name);
  await scene.pusher().push(`team/${name}`, 'latest', [{ mediaType: FLUX_LAYER, bytes: tarGz(good, entries) }]);
  await scene.again(source);
  await unharmed('OCIArtifactLayerOperationFailed');
  await scene.app.patch('OCIRepository', source, { spec: { layerSelector: { operation: 'copy' } } });
  await unharmed('OCIArtifactLayerOperationFailed');
  await expectNoLeftovers();
});

test('D2: the benign twin is stored; symbolic links of it are left out, with whatever lies behind them in its own place', async () => {
  const links = [tarEntry({ path: 'etc', type: 'SymbolicLink', linkpath: '/etc' }), tarEntry({ path: './sub/ok..yaml', body: 'ok' })];
  await scene.pusher().push('team/twin', 'latest', [{ mediaType: FLUX_LAYER, bytes: tarGz(good, links) }]);
  await scene.push('team/plain-twin', 'latest', { 'sub/ok..yaml': 'ok', ...good });
  scene.front().handle(() => false);
  const digests: (string | undefined)[] = [];
  for (const name of ['twin', 'plain-twin']) {
    const source = await scene.source(name, { url: url(`team/${name}`) });
    await scene.settled(source, 'True', 'Succeeded');
    digests.push(textAt(await scene.status(source), 'artifact', 'digest'));
  }
  expect(digests[0]).toBe(digests[1]);
});

test('D8: a bomb is stopped where it unpacks to more than the limit', async () => {
  const { source, unharmed } = await standing('bomb');
  const zeros = gzipSync(Buffer.alloc(200 * 1_048_576));
  // Six members make one stream of 1.2 GiB.
  await scene
    .pusher()
    .push('team/bomb', 'latest', [{ mediaType: FLUX_LAYER, bytes: Buffer.concat([headOf(1_200), ...Array(6).fill(zeros)]) }]);
  // A GiB is unpacked before it is too much.
  await scene.again(source, 90_000);
  await unharmed('StorageOperationFailed');
  await expectNoLeftovers();
}, 200_000);

/** A header, in a gzip member of its own, of a file of so many MiB. */
function headOf(mebibytes: number): Buffer {
  const block = tarEntry({ path: 'zeros.bin' }).subarray(0, 512);
  block.write((mebibytes * 1_048_576).toString(8).padStart(11, '0'), 124, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return gzipSync(block);
}

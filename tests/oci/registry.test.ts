import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import { createRegistry } from '#adapters/oci/registry.ts';
import type { EgressHttp } from '#core/http.ts';
import type { Registry, RegistryRemote } from '#core/registry.ts';
import { systemClock } from '#core/time.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { FLUX_LAYER, INDEX, openPusher, type PushedManifest, type Pusher, sha256 } from './push.ts';

const CANARY = 'canary-5d1e';
const limits = { timeoutMs: 20_000 } as const;
const signal = new AbortController().signal;
const children = useChildren('file');
const folder = useTemporaryDir('file');
const layer = { mediaType: FLUX_LAYER, bytes: Buffer.from('layer') };

let server: RegistryServer;
let http: EgressHttp;
let registry: Registry;
let remote: RegistryRemote;
let pushed: PushedManifest;
let pusher: Pusher;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const hostile: { handle: Handler; seen: IncomingMessage[]; host: string } = { handle: () => undefined, seen: [], host: '' };
const stranger: { seen: IncomingMessage[]; host: string } = { seen: [], host: '' };
const peers = [
  createServer((request, response) => {
    hostile.seen.push(request);
    hostile.handle(request, response);
  }),
  createServer((request, response) => {
    stranger.seen.push(request);
    response.end(JSON.stringify({ token: 'stolen' }));
  }),
] as const;

beforeAll(async () => {
  const { registry: program } = await loadToolPaths({ only: ['registry'] });
  if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
  const authority = await openLocalAuthority(join(folder(), 'ca'), 'registry tests');
  server = await startRegistry(children, { dir: join(folder(), 'registry'), program, authority });
  http = createEgressHttp({ egress: createEgress({ allowCidrs: ['127.0.0.0/8'] }), userAgent: 'weir/test', clock: systemClock });
  hostile.host = await listen(peers[0]);
  stranger.host = await listen(peers[1]);
  registry = open();
  const { host, username, password } = server;
  const credential = { is: 'basic', username, password } as const;
  remote = { host, repository: 'team/app', insecure: false, credential, caPem: authority.certificatePem, clientCertificate: null };
  pusher = openPusher({ ...server, caPem: authority.certificatePem });
  pushed = await pusher.push('team/app', '1.0.0', [layer], { 'org.opencontainers.image.revision': 'main@sha1:abc' });
  for (let minor = 1; minor < 4; minor += 1) await pusher.push('team/app', `1.${minor}.0`, [layer]);
});
afterAll(async () => {
  await pusher.close();
  await http.close();
  for (const one of peers) await new Promise((done) => one.close(done));
  await server.stop();
});
function open(allowHttpHosts: readonly string[] = [hostile.host]): Registry {
  return createRegistry({ http, clock: systemClock, allowHttpHosts, realms: new Map(), workDir: join(folder(), 'work') });
}
beforeEach(() => {
  hostile.seen.length = 0;
  stranger.seen.length = 0;
});

async function listen(peer: (typeof peers)[number]): Promise<string> {
  await new Promise<void>((done) => peer.listen(0, '127.0.0.1', done));
  const address = peer.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

const bad = (repository = 'team/app'): RegistryRemote => ({
  ...remote,
  host: hostile.host,
  repository,
  insecure: true,
  credential: { is: 'basic', username: 'u', password: CANARY },
});

test('tags, a tag, its manifest and its layer come from a real registry with a login', async () => {
  const tags: string[] = [];
  expect(await registry.tags(remote, (tag) => tags.push(tag), limits, signal)).toMatchObject({ is: 'listed', count: 4 });
  expect(tags.toSorted()).toEqual(['1.0.0', '1.1.0', '1.2.0', '1.3.0']);
  expect(await registry.resolve(remote, '1.0.0', limits, signal)).toBe(pushed.digest);
  const manifest = await registry.manifest(remote, pushed.digest, limits, signal);
  expect(manifest.annotations).toEqual({ 'org.opencontainers.image.revision': 'main@sha1:abc' });
  const [first] = manifest.layers;
  if (first === undefined) throw new Error('no layer');
  const file = join(folder(), 'layer');
  await registry.blob(remote, first, { file, maxBytes: 1_000 }, limits, signal);
  expect(await readFile(file, 'utf8')).toBe('layer');
  await expect(registry.blob(remote, first, { file: `${file}-2`, maxBytes: 4 }, limits, signal)).rejects.toMatchObject({
    code: 'upstreamTooLarge',
  });
});

test('of an index the image for linux/amd64 is read; one without it is refused', async () => {
  const arm = { ...(await pusher.push('team/app', null, [layer], { arch: 'arm64' })), platform: { os: 'linux', architecture: 'arm64' } };
  const amd = { ...(await pusher.push('team/app', null, [layer], { arch: 'amd64' })), platform: { os: 'linux', architecture: 'amd64' } };
  const body = (manifests: readonly unknown[]) => ({ schemaVersion: 2, mediaType: INDEX, manifests });
  const index = await pusher.putManifest('team/app', 'many', body([arm, amd]));
  expect(await registry.resolve(remote, 'many', limits, signal)).toBe(index.digest);
  expect(await registry.manifest(remote, index.digest, limits, signal)).toMatchObject({
    digest: amd.digest,
    annotations: { arch: 'amd64' },
  });
  const { platform: _platform, ...plain } = arm;
  const bare = await pusher.putManifest('team/app', 'bare', body([plain]));
  expect(await registry.manifest(remote, bare.digest, limits, signal)).toMatchObject({ digest: arm.digest });
  const foreign = await pusher.putManifest('team/app', 'arm', body([arm]));
  await expect(registry.manifest(remote, foreign.digest, limits, signal)).rejects.toMatchObject({
    code: 'upstreamFailed',
    message: expect.stringContaining('linux/amd64'),
  });
  const nested = await pusher.putManifest('team/app', 'nested', body([index]));
  await expect(registry.manifest(remote, nested.digest, limits, signal)).rejects.toMatchObject({ code: 'upstreamFailed' });
});

test('what refers to a digest comes from the fallback tag of a registry without the list', async () => {
  expect(await registry.referrers(remote, pushed.digest, limits, signal)).toEqual([]);
  const { mediaType, digest, size } = pushed;
  const subject = { subject: { mediaType, digest, size }, artifactType: 'application/x.signature' };
  const referrer = await pusher.push('team/app', null, [layer], {}, subject);
  const entry = { mediaType: referrer.mediaType, digest: referrer.digest, size: referrer.size, artifactType: subject.artifactType };
  await pusher.putManifest('team/app', digest.replace(':', '-'), { schemaVersion: 2, mediaType: INDEX, manifests: [entry] });
  expect(await registry.referrers(remote, digest, limits, signal)).toMatchObject([
    { digest: referrer.digest, artifactType: 'application/x.signature' },
  ]);
});

test('a small blob comes into memory, a layer into a temporary file that goes', async () => {
  const { layers } = await registry.manifest(remote, pushed.digest, limits, signal);
  const [first] = layers;
  if (first === undefined) throw new Error('no layer');
  expect(Buffer.from(await registry.read(remote, first, { maxBytes: 5 }, limits, signal)).toString()).toBe('layer');
  await expect(registry.read(remote, first, { maxBytes: 4 }, limits, signal)).rejects.toMatchObject({ code: 'upstreamTooLarge' });
  const fetched = await registry.fetch(remote, first, { maxBytes: 5 }, limits, signal);
  expect(await readFile(fetched.path, 'utf8')).toBe('layer');
  await fetched.dispose();
  await expect(registry.fetch(remote, { ...first, sizeBytes: 4 }, { maxBytes: 5 }, limits, signal)).rejects.toThrow();
  expect(await readdir(join(folder(), 'work'))).toEqual([]);
});

test('what is missing or refused is said without a credential', async () => {
  await expect(registry.resolve(remote, 'gone', limits, signal)).rejects.toMatchObject({ code: 'notFound' });
  await expect(registry.manifest(remote, `sha256:${'0'.repeat(64)}`, limits, signal)).rejects.toMatchObject({ code: 'notFound' });
  const wrong = { ...remote, credential: { is: 'basic', username: 'weir', password: CANARY } } as const;
  const refusal = await registry.resolve(wrong, '1.0.0', limits, signal).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'upstreamAuthFailed' });
  expect(String(refusal)).not.toContain(CANARY);
  await expect(registry.resolve({ ...remote, credential: { is: 'none' } }, '1.0.0', limits, signal)).rejects.toMatchObject({
    code: 'upstreamAuthFailed',
  });
  await expect(registry.resolve({ ...remote, caPem: null }, '1.0.0', limits, signal)).rejects.toMatchObject({ code: 'upstreamFailed' });
});

test('plain http needs the operator', async () => {
  const strict = open(['other.example', `${hostile.host}0`]);
  await expect(strict.resolve(bad(), 'x', limits, signal)).rejects.toMatchObject({ code: 'egressDenied' });
  expect(hostile.seen).toEqual([]);
});

test('a token is fetched once per repository and credential, and again when the registry refuses it', async () => {
  let issued = 0;
  const digest = sha256('x');
  hostile.handle = (request, response) => {
    if (request.url?.startsWith('/token') === true) return void response.end(JSON.stringify({ token: `t${++issued}`, expires_in: 300 }));
    if (request.headers.authorization === `Bearer t${issued}` && issued > 0)
      return void response.writeHead(200, { 'docker-content-digest': digest }).end();
    const realm = `Bearer realm="http://${hostile.host}/token",service="local",scope="repository:other:push"`;
    response.writeHead(401, { 'www-authenticate': realm }).end();
  };
  const own = open();
  for (let round = 0; round < 3; round += 1) expect(await own.resolve(bad(), 'v1', limits, signal)).toBe(digest);
  expect(issued).toBe(1);
  const asked = hostile.seen.find(({ url }) => url?.startsWith('/token'));
  expect(asked?.url).toBe('/token?service=local&scope=repository%3Ateam%2Fapp%3Apull');
  expect(asked?.headers.authorization).toBe(`Basic ${Buffer.from(`u:${CANARY}`).toString('base64')}`);
  await own.resolve({ ...bad(), credential: { is: 'none' } }, 'v1', limits, signal);
  await own.resolve(bad('team/other'), 'v1', limits, signal);
  expect(issued).toBe(3);
  issued += 1;
  await own.resolve(bad('team/other'), 'v1', limits, signal);
  expect(issued).toBe(5);
});

test('B10: neither a foreign realm nor a redirect brings the credential to another host', async () => {
  hostile.handle = (_request, response) =>
    void response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${stranger.host}/token",service="x"` }).end();
  await expect(registry.resolve(bad(), 'v1', limits, signal)).rejects.toMatchObject({
    code: 'egressDenied',
    message: expect.stringContaining(stranger.host),
  });
  expect(stranger.seen).toEqual([]);
  hostile.handle = (request, response) => {
    if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else response.writeHead(307, { location: `http://${stranger.host}/blob` }).end();
  };
  const file = join(folder(), 'stolen');
  const descriptor = { mediaType: FLUX_LAYER, digest: sha256('x'), sizeBytes: 100, annotations: {} };
  await expect(registry.blob(bad(), descriptor, { file, maxBytes: 1_000 }, limits, signal)).rejects.toMatchObject({
    code: 'upstreamFailed',
  });
  expect(stranger.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  expect(await readdir(folder())).not.toContain('stolen');
});

test('B10: the next page of tags stays in the repository, and a loop ends', async () => {
  const page =
    (link: string): Handler =>
    (_request, response) =>
      void response.writeHead(200, { link: `<${link}>; rel="next"` }).end('{"tags":["a"]}');
  for (const link of [`http://${stranger.host}/v2/team/app/tags/list`, '/v2/other/tags/list', '/v2/team/app/../../../x']) {
    hostile.handle = page(link);
    await expect(registry.tags(bad(), () => undefined, limits, signal)).rejects.toMatchObject({ code: 'egressDenied' });
  }
  hostile.handle = page('/v2/team/app/tags/list?n=1000');
  await expect(registry.tags(bad(), () => undefined, limits, signal)).rejects.toMatchObject({ code: 'upstreamFailed' });
  expect(stranger.seen).toEqual([]);
});

test('100,000 tags pass page by page, and one more is refused', async () => {
  let total = 100_000;
  hostile.handle = (request, response) => {
    const start = Number(new URL(request.url ?? '', 'http://x').searchParams.get('last') ?? 0);
    const tags = Array.from({ length: Math.min(1_000, total - start) }, (_, index) => `v${start + index}`);
    const next = start + tags.length;
    if (next < total) response.setHeader('link', `</v2/team/app/tags/list?n=1000&last=${next}>; rel="next"`);
    response.end(JSON.stringify({ name: 'team/app', tags }));
  };
  let last = '';
  const keepLast = (tag: string): void => {
    last = tag;
  };
  expect(await registry.tags(bad(), keepLast, limits, signal)).toMatchObject({ count: 100_000 });
  expect(last).toBe('v99999');
  total += 1;
  await expect(registry.tags(bad(), keepLast, limits, signal)).rejects.toMatchObject({ code: 'upstreamTooLarge' });
});

test.each<[string, string]>([
  ['another manifest', '{"schemaVersion":2,"layers":[]}'],
  ['nothing', ''],
])('a manifest that is not its digest is refused: %s', async (_name, body) => {
  hostile.handle = (_request, response) => void response.end(body);
  await expect(registry.manifest(bad(), sha256('other'), limits, signal)).rejects.toMatchObject({ code: 'upstreamFailed' });
});

test.each([
  '{}',
  '[]',
  'null',
  '{"schemaVersion":2,"layers":null}',
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]}',
  '{"schemaVersion":2,"layers":[{"mediaType":"x","digest":"../../etc/passwd","size":1}]}',
  '{"schemaVersion":2,"layers":[{"mediaType":"x","digest":"sha256:0","size":-1}]}',
  'x',
])('with its digest right, %s is no image manifest', async (body) => {
  hostile.handle = (_request, response) => void response.end(body);
  await expect(registry.manifest(bad(), sha256(body), limits, signal)).rejects.toMatchObject({ code: 'upstreamFailed' });
});

test('a layer with other bytes, or more of them, is refused and nothing stays', async () => {
  const descriptor = { mediaType: FLUX_LAYER, digest: sha256('right'), sizeBytes: 5, annotations: {} };
  const to = { file: join(folder(), 'wrong'), maxBytes: 1_000 };
  for (const [body, code] of [
    ['wrong', 'upstreamFailed'],
    ['right and more', 'upstreamTooLarge'],
    ['rig', 'upstreamFailed'],
  ] as const) {
    hostile.handle = (_request, response) => void response.end(body);
    await expect(registry.blob(bad(), descriptor, to, limits, signal)).rejects.toMatchObject({ code });
    expect(await readdir(folder())).not.toContain('wrong');
  }
});

test('a busy registry is asked again as it says, and one that wants a long wait is reported with it', async () => {
  const digest = sha256('x');
  let refusals = 1;
  hostile.handle = (_request, response) => {
    if (refusals-- > 0) response.writeHead(429, { 'retry-after': '0' }).end();
    else response.writeHead(200, { 'docker-content-digest': digest }).end();
  };
  expect(await registry.resolve(bad('team/busy'), 'v1', limits, signal)).toBe(digest);
  hostile.handle = (_request, response) => void response.writeHead(429, { 'retry-after': '120' }).end();
  await expect(registry.resolve(bad('team/busy'), 'v1', limits, signal)).rejects.toMatchObject({
    code: 'upstreamFailed',
    details: { retryAfterMs: 120_000 },
  });
});

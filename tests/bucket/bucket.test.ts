import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBucket } from '#adapters/bucket/bucket.ts';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import type { Bucket, BucketRemote } from '#core/bucket.ts';
import type { EgressHttp } from '#core/http.ts';
import { systemClock } from '#core/time.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type S3Server, startS3 } from '#deploy/local/s3.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { bucketOf, type HostileS3, listing, startHostileS3 } from './hostile-s3.ts';

const limits = { timeoutMs: 20_000, maxBytes: 1_000_000, maxObjects: 3_000 } as const;
const all = { prefix: '', ignore: null } as const;
const signal = new AbortController().signal;
const children = useChildren('file');
const folder = useTemporaryDir('file');
let server: S3Server;
let hostile: HostileS3;
let stranger: HostileS3;
let http: EgressHttp;
let bucket: Bucket;
let remote: BucketRemote;
const workDir = (): string => join(folder(), 'work');

beforeAll(async () => {
  const { s3: program } = await loadToolPaths({ only: ['s3'] });
  const authority = await openLocalAuthority(join(folder(), 'ca'), 'bucket tests');
  server = await startS3(children, { dir: join(folder(), 's3'), program, authority });
  http = createEgressHttp({ egress: createEgress({ allowCidrs: ['127.0.0.0/8'] }), userAgent: 'weir/test', clock: systemClock });
  const { accessKey, secretKey, region } = server;
  const trust = { caPem: authority.certificatePem, clientCertificate: null };
  remote = { origin: `https://${server.host}`, bucketName: 'apps', region, credential: { accessKey, secretKey }, ...trust };
  [hostile, stranger] = await Promise.all([startHostileS3(), startHostileS3()]);
  bucket = createBucket({ http, clock: systemClock, allowHttpHosts: [hostile.host], workDir: workDir() });
});
afterAll(async () => {
  await http.close();
  await Promise.all([hostile.close(), stranger.close()]);
  await server.stop();
});

const lying = (): BucketRemote => ({ ...remote, origin: `http://${hostile.host}`, caPem: null });
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

test('a real bucket: keys and etags in byte order, prefix, ignore rules, content, revision', async () => {
  await server.makeBucket('apps');
  const contents = { 'prod/a.yaml': 'a: 1', 'prod/sub dir/ü+&.yaml': 'b: 2', 'prod/notes.md': 'n', 'test/c.yaml': 'c', 'pic.png': 'p' };
  for (const [key, text] of Object.entries(contents)) await server.put('apps', key, text);
  await server.put('apps', '.sourceignore', '*.md\n');
  const index = await bucket.index(remote, { prefix: 'prod/', ignore: null }, limits, signal);
  const lines = ['prod/a.yaml', 'prod/sub dir/ü+&.yaml'] as const;
  expect(index.objects).toEqual(lines.map((key) => ({ key, etag: md5(contents[key]), sizeBytes: 4 })));
  const text = lines.map((key) => `${key} ${md5(contents[key])}\n`).join('');
  expect(index.revision).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  // No default list for buckets; the field comes after the file.
  expect((await bucket.index(remote, { prefix: '', ignore: '!notes.md\n/test/' }, limits, signal)).objects.map(({ key }) => key)).toEqual([
    'pic.png',
    'prod/a.yaml',
    'prod/notes.md',
    'prod/sub dir/ü+&.yaml',
  ]);
  const fetched = await bucket.fetch(remote, index.objects, limits, signal);
  const read = await Promise.all(fetched.files.map(async ({ path, file }) => [path, await readFile(file, 'utf8')] as const));
  expect(read).toEqual([...lines.map((key) => [key, contents[key]]), ['.sourceignore', '*.md\n']]);
  expect(fetched.revision).toBe(index.revision);
  await fetched.dispose();
  expect(await readdir(workDir())).toEqual([]);
});

test('what changed or went between listing and download is what it is then', async () => {
  await server.makeBucket('apps');
  for (const key of ['moving/a', 'moving/b']) await server.put('apps', key, 'old');
  const before = await bucket.index(remote, { prefix: 'moving/', ignore: null }, limits, signal);
  await server.put('apps', 'moving/a', 'new');
  await server.drop('apps', 'moving/b');
  const fetched = await bucket.fetch(remote, before.objects, limits, signal);
  expect(fetched.objects).toMatchObject([{ key: 'moving/a', etag: md5('new') }]);
  await fetched.dispose();
  expect(fetched.revision).toBe((await bucket.index(remote, { prefix: 'moving/', ignore: null }, limits, signal)).revision);
});

test('more than one page', async () => {
  await server.makeBucket('many');
  const keys = Array.from({ length: 1_003 }, (_none, number) => `k${String(number).padStart(4, '0')}`);
  for (let at = 0; at < keys.length; at += 50) await Promise.all(keys.slice(at, at + 50).map((key) => server.put('many', key, '')));
  const many = { ...remote, bucketName: 'many' };
  expect((await bucket.index(many, all, limits, signal)).objects.map(({ key }) => key)).toEqual(keys);
  await expect(bucket.index(many, all, { ...limits, maxObjects: 1_000 }, signal)).rejects.toMatchObject({
    code: 'artifactTooLarge',
    message: expect.stringContaining('spec.prefix'),
  });
});

test('a real server refuses: no such bucket, wrong keys, wrong region, nobody, an unknown authority', async () => {
  await server.makeBucket('apps');
  const ask = (over: Partial<BucketRemote>) => bucket.index({ ...remote, ...over }, all, limits, signal);
  const credential = { accessKey: server.accessKey, secretKey: 'canary-wrong-secret' };
  await expect(ask({ bucketName: 'missing' })).rejects.toMatchObject({ code: 'notFound', message: "bucket 'missing' not found" });
  const refused = await ask({ credential }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'upstreamAuthFailed' });
  expect(String(refused)).not.toContain('canary');
  await expect(ask({ credential: { ...credential, accessKey: 'stranger' } })).rejects.toMatchObject({ code: 'upstreamAuthFailed' });
  await expect(ask({ region: 'elsewhere-1' })).rejects.toMatchObject({ code: expect.stringMatching(/^upstream(Auth)?Failed$/) });
  await expect(ask({ credential: null })).rejects.toMatchObject({ code: 'upstreamAuthFailed' });
  await expect(ask({ caPem: null })).rejects.toMatchObject({
    code: 'upstreamFailed',
    message: expect.stringContaining('unknown authority'),
  });
});

test.each([
  ['climbs', ['ok', '../../etc/cron.d/x']],
  ['is absolute', ['/etc/passwd']],
  ['is empty', ['']],
  ['is a dot', ['./a']],
  ['has an empty part', ['a//b']],
  ['holds NUL', ['a\0b']],
  ['differs in letter case only', ['App.yaml', 'app.yaml']],
  ['is a file and a folder', ['a', 'a/b']],
  ['comes twice', ['a', 'a']],
])('D4: a key that %s is refused before anything is fetched', async (_what, keys) => {
  hostile.set(bucketOf(keys.map((key) => ({ key }))));
  await expect(bucket.index(lying(), all, limits, signal)).rejects.toMatchObject({ code: 'badRequest' });
  const objects = keys.map((key) => ({ key, etag: 'e', sizeBytes: 1 }));
  hostile.requests.length = 0;
  await expect(bucket.fetch(lying(), objects, limits, signal)).rejects.toMatchObject({ code: 'badRequest' });
  expect(hostile.requests).toEqual([]);
  expect(await readdir(workDir())).toEqual([]);
});

test('D4: an over-long key is refused; ordinary keys of the same server are not', async () => {
  hostile.set(bucketOf([{ key: 'n'.repeat(300) }]));
  await expect(bucket.index(lying(), all, limits, signal)).rejects.toMatchObject({ code: 'artifactTooLarge' });
  hostile.set(bucketOf([{ key: 'a/b' }, { key: 'folder/' }]));
  const { objects } = await bucket.index(lying(), all, limits, signal);
  const fetched = await bucket.fetch(lying(), objects, limits, signal);
  expect(fetched.files.map(({ path }) => path)).toEqual(['a/b']);
  await fetched.dispose();
});

test('D8: more bytes than allowed are cut, in one object, in all together, and in a listing', async () => {
  const small = { ...limits, maxBytes: 1_000 };
  const endless = bucketOf([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
  hostile.set((request, response) => {
    if (request.url?.startsWith('/apps/') !== true || request.url.endsWith('.sourceignore')) return endless(request, response);
    response.end('y'.repeat(600));
  });
  const { objects } = await bucket.index(lying(), all, small, signal);
  await expect(bucket.fetch(lying(), objects, small, signal)).rejects.toMatchObject({ code: expect.stringMatching(/TooLarge$/) });
  hostile.set(bucketOf([{ key: 'a', size: 5_000 }]));
  await expect(bucket.index(lying(), all, small, signal)).rejects.toMatchObject({ code: 'artifactTooLarge' });
  hostile.set((request, response) =>
    request.url?.includes('list-type') === true ? response.end(' '.repeat(9_000_000)) : endless(request, response),
  );
  await expect(bucket.index(lying(), all, limits, signal)).rejects.toMatchObject({ code: 'upstreamTooLarge' });
  expect(await readdir(workDir())).toEqual([]);
});

test('pages in a circle and lists without end are given up', async () => {
  const paged = (page: (number: number) => string) => {
    let number = 0;
    hostile.set((request, response) => {
      number += 1;
      if (request.url?.includes('list-type') === true) response.end(page(number));
      else bucketOf([])(request, response);
    });
  };
  paged(() => listing([{ key: 'a' }], 'again'));
  await expect(bucket.index(lying(), { prefix: '', ignore: '*' }, limits, signal)).rejects.toThrow('in a circle');
  paged((number) => listing([], `t${number}`));
  await expect(bucket.index(lying(), all, { ...limits, maxObjects: 20 }, signal)).rejects.toThrow('in a circle');
});

test('a server that drips is given up in time, and says so', async () => {
  hostile.set((_request, response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.once('close', () => clearInterval(timer));
  });
  await expect(bucket.index(lying(), all, { ...limits, timeoutMs: 300 }, signal)).rejects.toMatchObject({
    code: 'upstreamFailed',
    message: expect.stringContaining('300 ms'),
  });
});

test('B10: a redirect is not followed, and nobody else sees the signature', async () => {
  stranger.set(bucketOf([{ key: 'stolen' }]));
  hostile.set((_request, response) => void response.writeHead(307, { location: `http://${stranger.host}/apps?list-type=2` }).end());
  await expect(bucket.index(lying(), all, limits, signal)).rejects.toMatchObject({
    code: 'upstreamFailed',
    message: expect.stringContaining('write the endpoint and region'),
  });
  expect(hostile.requests[0]?.headers.authorization).toContain('AWS4-HMAC-SHA256');
  expect(stranger.requests).toEqual([]);
});

test('G1: private addresses and plain http are refused where the operator does not allow them', async () => {
  hostile.set(bucketOf([]));
  const strict = createEgressHttp({ egress: createEgress({ allowCidrs: [] }), userAgent: 'weir/test', clock: systemClock });
  const closed = createBucket({ http: strict, clock: systemClock, allowHttpHosts: [hostile.host], workDir: workDir() });
  for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', 'localhost'])
    await expect(closed.index({ ...remote, origin: `https://${host}` }, all, limits, signal)).rejects.toMatchObject({
      code: 'egressDenied',
    });
  await strict.close();
  const tlsOnly = createBucket({ http, clock: systemClock, allowHttpHosts: [stranger.host], workDir: workDir() });
  await expect(tlsOnly.index(lying(), all, limits, signal)).rejects.toMatchObject({ code: 'egressDenied' });
  expect(hostile.requests).toEqual([]);
});

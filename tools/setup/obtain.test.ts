import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '#adapters/x509/issue.ts';
import { type PinnedTool, pinnedTools } from '../binaries.ts';
import { run } from './run.ts';

/** A pinned program that is neither in PATH nor to be built comes from an HTTPS mirror, with its checksum or not at all. */

const program = "#!/bin/sh\necho 'tool v1.2.3'\n";
const goodSha256 = createHash('sha256').update(program).digest('hex');
const seen: string[] = [];
let server: Server | undefined;
let mirror = '';
let work = '';

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'weir-obtain-'));
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'mirror test', validMs: 3_600_000, nowMs });
  const names = {
    commonName: 'mirror',
    usage: 'server',
    names: ['localhost'],
    addresses: ['127.0.0.1'],
    validMs: 3_600_000,
    nowMs,
  } as const;
  const { certificatePem, keyPem } = await issueCertificate(authority, names);
  await writeFile(join(work, 'ca.pem'), authority.certificatePem);
  server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    seen.push(request.url ?? '');
    response.end(program);
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  mirror = `https://127.0.0.1:${address.port}/releases`;
});
afterAll(async () => {
  await new Promise((done) => server?.close(done));
  await rm(work, { recursive: true });
});

type Asked = Readonly<{ sha256: string; cache: string; ca: boolean }>;

/** In a process of its own: authorities of a private mirror are read when Node starts, and PATH holds no Go. */
async function obtainIn({
  sha256,
  cache,
  ca,
}: Asked): Promise<Readonly<{ is: string; path?: string; why?: string; located: string | null }>> {
  const script = join(work, 'ask.ts');
  const obtain = JSON.stringify(fileURLToPath(new URL('./obtain.ts', import.meta.url)));
  const progress = JSON.stringify(fileURLToPath(new URL('./progress.ts', import.meta.url)));
  await writeFile(
    script,
    `import { locate, obtain } from ${obtain};
import { makeProgress } from ${progress};
const tool = { ...JSON.parse(process.argv[2] ?? ''), versionPattern: /^tool v1\\.2\\.3$/m };
const quiet = makeProgress(() => undefined);
const got = await obtain(tool, process.env, quiet);
console.log(JSON.stringify({ ...got, located: (await locate(tool, process.env, quiet)) ?? null }));
`,
  );
  const tool = {
    name: 'tool',
    version: '1.2.3',
    versionArgs: [],
    go: { module: 'kwok', package: 'example.org/tool', ldflags: '' },
    buildHint: '1 s',
    download: {
      url: 'https://releases.example.org/v1.2.3/tool-{os}-{arch}',
      member: null,
      maxBytes: 10_000,
      sha256: { 'linux-amd64': sha256, 'linux-arm64': sha256 },
    },
  } satisfies Omit<PinnedTool, 'versionPattern'>;
  const env = {
    PATH: '/nonexistent',
    XDG_CACHE_HOME: join(work, cache),
    WEIR_TOOLS_MIRROR: mirror,
    ...(ca ? { NODE_EXTRA_CA_CERTS: join(work, 'ca.pem') } : {}),
  };
  const result = await run(process.execPath, [script, JSON.stringify(tool)], { env, timeoutMs: 30_000 });
  if (!result.ok) throw new Error(`${result.why}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

test('with the pinned checksum it is fetched, kept in the cache and found there', async () => {
  const got = await obtainIn({ sha256: goodSha256, cache: 'good', ca: true });
  expect(got.is).toBe('found');
  expect(await readFile(got.path ?? '', 'utf8')).toBe(program);
  expect(got.located).toBe(got.path);
  expect(seen.at(-1)).toMatch(/^\/releases\/v1\.2\.3\/tool-linux-(amd64|arm64)$/);
  const asked = seen.length;
  await chmod(got.path ?? '', 0o755);
  expect((await obtainIn({ sha256: goodSha256, cache: 'good', ca: true })).is).toBe('found');
  expect(seen.length, 'the second time nothing is fetched').toBe(asked);
});

test('with another checksum it is refused with both, and nothing of it is kept', async () => {
  const got = await obtainIn({ sha256: '0'.repeat(64), cache: 'wrong', ca: true });
  expect([got.is, got.located]).toEqual(['missing', null]);
  expect(got.why).toContain('Go is not in PATH');
  expect(got.why).toContain(`SHA-256 ${goodSha256}, pinned is ${'0'.repeat(64)}`);
});

test('a mirror whose authority is not trusted is an error that says so', async () => {
  const got = await obtainIn({ sha256: goodSha256, cache: 'untrusted', ca: false });
  expect(got.is).toBe('missing');
  expect(got.why).toMatch(/certificate/);
});

test('every pinned checksum has the form of one, and every download names its version', () => {
  for (const { name, version, download } of pinnedTools) {
    if (download === undefined) continue;
    expect(download.url, name).toContain(version);
    expect(download.url.startsWith('https://'), name).toBe(true);
    const sums = Object.values(download.sha256);
    expect(sums.length, name).toBeGreaterThan(0);
    for (const sum of sums) expect(sum, name).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(sums).size, `${name}: one file for each platform`).toBe(sums.length);
  }
});

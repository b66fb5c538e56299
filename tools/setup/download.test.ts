import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchRelease } from './download.ts';

const program = Buffer.from('#!/bin/true\n');
let archive = Buffer.alloc(0);
let server: Server | undefined;
let mirror = '';
let folder = '';

beforeAll(async () => {
  const work = await mkdtemp(join(tmpdir(), 'weir-release-'));
  await writeFile(join(work, 'tool'), program);
  await writeFile(join(work, 'README'), 'not wanted');
  await mkdir(join(work, 'tool-linux-amd64/bin'), { recursive: true });
  await writeFile(join(work, 'tool-linux-amd64/bin/tool'), program);
  await create({ file: join(work, 'tool.tar.gz'), gzip: true, cwd: work }, ['tool', 'README', 'tool-linux-amd64']);
  archive = await readFile(join(work, 'tool.tar.gz'));
  await rm(work, { recursive: true });
  server = createServer((request, response) => {
    if (request.url === '/mirror/tool_linux_amd64') response.end(program);
    else if (request.url === '/mirror/tool_linux_amd64.tar.gz') response.end(archive);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  mirror = `http://127.0.0.1:${address.port}/mirror/`;
});
afterAll(() => new Promise((done) => server?.close(done)));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-download-'));
});
afterEach(() => rm(folder, { recursive: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const base = { platform: 'linux-amd64', name: 'tool' } as const;

test('a release file with the pinned checksum becomes the program', async () => {
  const download = {
    url: 'https://example.org/tool_{os}_{arch}',
    member: null,
    maxBytes: 1000,
    sha256: { 'linux-amd64': sha256(program) },
  };
  expect(await fetchRelease({ ...base, download, mirror, folder })).toBeUndefined();
  expect(await readFile(join(folder, 'tool'))).toEqual(program);
});

test('only the program is taken out of an archive', async () => {
  const download = {
    url: 'https://example.org/tool_{os}_{arch}.tar.gz',
    member: 'tool',
    maxBytes: 10_000,
    sha256: { 'linux-amd64': sha256(archive) },
  };
  expect(await fetchRelease({ ...base, download, mirror, folder })).toBeUndefined();
  expect(await readdir(folder)).toEqual(['tool']);
});

test('a program deep in an archive is taken out, its folders are not', async () => {
  const download = {
    url: 'https://example.org/tool_{os}_{arch}.tar.gz',
    member: 'tool-{os}-{arch}/bin/tool',
    maxBytes: 10_000,
    sha256: { 'linux-amd64': sha256(archive) },
  };
  expect(await fetchRelease({ ...base, download, mirror, folder })).toBeUndefined();
  expect(await readdir(folder)).toEqual(['tool']);
  expect(await readFile(join(folder, 'tool'))).toEqual(program);
  expect(await fetchRelease({ ...base, download: { ...download, member: 'other/tool' }, mirror, folder })).toMatch(/holds no other\/tool/);
});

test.each([
  [
    'a wrong checksum',
    { url: 'https://example.org/tool_{os}_{arch}', maxBytes: 1000, sha256: { 'linux-amd64': '0'.repeat(64) } },
    /pinned is 0000/,
  ],
  [
    'too many bytes',
    { url: 'https://example.org/tool_{os}_{arch}', maxBytes: 5, sha256: { 'linux-amd64': sha256(program) } },
    /more than 5 bytes/,
  ],
  ['a missing file', { url: 'https://example.org/other', maxBytes: 1000, sha256: { 'linux-amd64': sha256(program) } }, /answer 404/],
  [
    'no pinned checksum',
    { url: 'https://example.org/tool_{os}_{arch}', maxBytes: 1000, sha256: {} },
    /no checksum is pinned for linux-amd64/,
  ],
])('%s is refused and nothing is left', async (_case, download, reason) => {
  expect(await fetchRelease({ ...base, download: { ...download, member: null }, mirror, folder })).toMatch(reason);
  expect(await readdir(folder)).toEqual([]);
});

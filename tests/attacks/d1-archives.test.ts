import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Header, Pax } from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ArtifactStore, createArtifacts } from '#adapters/blob/artifacts.ts';
import { readTar } from '#adapters/blob/read-tar.ts';
import { systemClock } from '#core/time.ts';

/** D1: archives that write outside, link, collide or never end. Each is refused or harmless; nothing appears outside the folder (observer W). */

type Part = Readonly<{
  path: string;
  type?: Header['type'];
  linkpath?: string;
  body?: string;
  size?: number;
  pax?: Readonly<{ path?: string; linkpath?: string; size?: number }>;
  rawPax?: string;
  edit?: (block: Buffer) => void;
}>;

const never = new AbortController().signal;
let root: string;
let store: ArtifactStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-d1-'));
  store = createArtifacts({ dir: join(root, 'store'), clock: systemClock });
});
afterEach(() => rm(root, { recursive: true, force: true }));

function block(part: Part): Buffer {
  const body = Buffer.from(part.body ?? '');
  const header = new Header({
    path: part.path,
    type: part.type ?? 'File',
    mode: 0o644,
    size: part.size ?? body.byteLength,
    mtime: new Date(0),
    ...(part.linkpath === undefined ? {} : { linkpath: part.linkpath }),
  });
  const encoded = Buffer.alloc(512);
  header.encode(encoded);
  if (part.edit !== undefined) {
    part.edit(encoded);
    resum(encoded);
  }
  return Buffer.concat([encoded, body, Buffer.alloc((512 - (body.byteLength % 512)) % 512)]);
}

function resum(encoded: Buffer): void {
  encoded.fill(' ', 148, 156);
  const sum = encoded.reduce((total, byte) => total + byte, 0);
  encoded.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function rawPax(text: string): Buffer {
  return block({ path: 'PaxHeader/x', type: 'ExtendedHeader', body: text });
}

const record = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length = String(length).length + Buffer.byteLength(rest);
  return `${length}${rest}`;
};

function archive(parts: readonly Part[]): Buffer {
  const blocks = parts.flatMap((part) => [
    ...(part.pax === undefined ? [] : [new Pax(part.pax).encode()]),
    ...(part.rawPax === undefined ? [] : [rawPax(part.rawPax)]),
    block(part),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const good: Part = { path: 'good.yaml', body: 'good' };
const HOSTILE: readonly (readonly [string, readonly Part[]])[] = [
  ['hard link outside', [{ path: 'l', type: 'Link', linkpath: '/etc/passwd' }]],
  ['hard link inside', [good, { path: 'l', type: 'Link', linkpath: 'good.yaml' }]],
  ['hard link climbing', [{ path: 'l', type: 'Link', linkpath: '../../x' }]],
  [
    'hard link to link',
    [
      { path: 's', type: 'SymbolicLink', linkpath: '/etc' },
      { path: 'l', type: 'Link', linkpath: 's/passwd' },
    ],
  ],
  ['character device', [{ path: 'd', type: 'CharacterDevice' }]],
  ['block device', [{ path: 'd', type: 'BlockDevice' }]],
  ['pipe', [{ path: 'd', type: 'FIFO' }]],
  ['climbing', [{ path: '../x', body: 'x' }]],
  ['climbing below', [{ path: 'a/../../x', body: 'x' }]],
  ['climbing inside', [{ path: 'a/../x', body: 'x' }]],
  ['only dots', [{ path: '..', type: 'Directory' }]],
  ['dot inside', [{ path: 'a/./b', body: 'x' }]],
  ['absolute', [{ path: '/tmp/weir-canary', body: 'x' }]],
  ['two slashes', [{ path: '//tmp/weir-canary', body: 'x' }]],
  ['empty middle', [{ path: 'a//b', body: 'x' }]],
  ['PAX absolute', [{ path: 'a', body: 'x', pax: { path: '/tmp/weir-canary' } }]],
  ['PAX climbing', [{ path: 'a', body: 'x', pax: { path: '../../weir-canary' } }]],
  ['twice', [good, { path: 'good.yaml', body: 'other' }]],
  ['twice with a dot', [good, { path: './good.yaml', body: 'other' }]],
  [
    'twice in two Unicode forms',
    [
      { path: 'caf\u00e9', body: '1' },
      { path: 'cafe\u0301', body: '2' },
    ],
  ],
  ['file as folder', [good, { path: 'good.yaml/x', body: 'x' }]],
  [
    'folder as file',
    [
      { path: 'a/b', body: 'x' },
      { path: 'a', body: 'x' },
    ],
  ],
  [
    'folder twice as file',
    [
      { path: 'a', type: 'Directory' },
      { path: 'a', body: 'x' },
    ],
  ],
  ['overlong name', [{ path: 'a', body: 'x', pax: { path: 'n'.repeat(300) } }]],
  ['overlong path', [{ path: 'a', body: 'x', pax: { path: 'n/'.repeat(3_000).concat('x') } }]],
  ['huge PAX header', [{ path: 'a', body: 'x', rawPax: record('comment', 'c'.repeat(2_000_000)) }]],
  ['negative size', [{ path: 'a', edit: (one) => void one.fill(0xff, 124, 136) }]],
  ['size not a number', [{ path: 'a', edit: (one) => void one.write('zzzzzzzzzzz', 124) }]],
  ['huge size', [{ path: 'a', size: 8_000_000_000, body: 'x' }]],
  ['PAX size larger than the archive', [{ path: 'a', body: 'x', pax: { size: 999_999_999 } }]],
  ['unknown type', [{ path: 'a', body: 'x', edit: (one) => void one.write('Z', 156) }]],
];

test.each(HOSTILE.map(([name, parts]) => ({ name, parts })))('$name is refused and leaves nothing', async ({ parts }) => {
  const before = await readdir(tmpdir());
  const tarPath = join(root, 'in.tar');
  await writeFile(tarPath, archive([{ path: 'first.yaml', body: 'first' }, ...parts]));
  await expect(store.put({ tarPath, ignore: null, maxBytes: 1_000_000, maxEntries: 100 }, never)).rejects.toMatchObject({
    name: 'AppError',
    code: expect.stringMatching(/^(badRequest|artifactTooLarge)$/),
  });
  expect(await store.list()).toEqual([]);
  expect((await readdir(root)).sort()).toEqual(['in.tar', 'store']);
  expect((await readdir(tmpdir())).filter((name) => !before.includes(name) && name.includes('canary'))).toEqual([]);
});

test.each<[string, readonly Part[], readonly string[]]>([
  ['symbolic link outside', [{ path: 's', type: 'SymbolicLink', linkpath: '/etc/passwd' }, good], ['good.yaml']],
  [
    'file behind a symbolic link',
    [
      { path: 'tmp', type: 'SymbolicLink', linkpath: '/tmp' },
      { path: 'tmp/weir-canary', body: 'x' },
    ],
    ['tmp/weir-canary'],
  ],
  ['link, then the same name as file', [{ path: 'good.yaml', type: 'SymbolicLink', linkpath: '/etc/passwd' }, good], ['good.yaml']],
  [
    'chain of links',
    [{ path: 'a', type: 'SymbolicLink', linkpath: 'b' }, { path: 'b', type: 'SymbolicLink', linkpath: 'a' }, good],
    ['good.yaml'],
  ],
  ['PAX path with NUL', [{ path: 'b', body: 'x', rawPax: record('path', 'a\0../../weir-canary') }], ['a']],
  ['backslashes', [{ path: '..\\..\\x', body: 'x' }], ['..\\..\\x']],
  [
    'names of two cases',
    [
      { path: 'A', body: '1' },
      { path: 'a', body: '2' },
    ],
    ['A', 'a'],
  ],
])('%s is harmless', async (_name, parts, files) => {
  const tarPath = join(root, 'in.tar');
  await writeFile(tarPath, archive(parts));
  const { digest } = await store.put({ tarPath, ignore: null, maxBytes: 1_000_000, maxEntries: 100 }, never);
  await store.unpackTo(digest, join(root, 'out'), { maxBytes: 1_000_000, maxEntries: 100 }, never);
  const found = (await readdir(join(root, 'out'), { recursive: true, withFileTypes: true })).filter((one) => !one.isDirectory());
  expect(found.every((one) => one.isFile())).toBe(true);
  expect(found.map((one) => join(one.parentPath, one.name).slice(join(root, 'out').length + 1)).sort()).toEqual([...files].sort());
  expect((await readdir(root)).sort()).toEqual(['in.tar', 'out', 'store']);
});

test('a bomb is stopped at the limit after decompression', async () => {
  const bomb = archive([{ path: 'zeros', body: '\0'.repeat(40_000_000) }]);
  const path = join(root, 'bomb.tar.gz');
  await writeFile(path, gzipSync(bomb));
  let seen = 0;
  const reading = readTar(path, { gzip: true, maxBytes: 2_000_000, maxEntries: 10, signal: never }, async (entry) => {
    for await (const chunk of entry.content) seen += chunk.byteLength;
  });
  await expect(reading).rejects.toMatchObject({ code: 'artifactTooLarge' });
  expect(seen).toBeLessThan(2_100_000);
});

test.each([
  ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ['brotli', (bytes: Buffer) => brotliCompressSync(bytes)],
])('D8: an archive that is packed a second time, with %s, is not unpacked', async (_name, pack) => {
  const path = join(root, 'twice.tar.gz');
  const limits = { maxDecodedBytes: 2_000_000, maxBytes: 2_000_000, maxEntries: 10 };
  await writeFile(path, gzipSync(pack(archive([{ path: 'zeros', body: '\0'.repeat(1_000_000) }]))));
  await expect(store.putLayer({ path, ignore: null, ...limits }, never)).rejects.toMatchObject({ code: 'badRequest' });
  await expect(store.keepLayer({ path, ...limits }, never)).rejects.toMatchObject({ code: 'badRequest' });
  expect(await store.list()).toEqual([]);
});

test.each(HOSTILE.map(([name, parts]) => ({ name, parts })))('D2: as a layer, $name is refused and leaves nothing', async ({ parts }) => {
  const path = join(root, 'layer.tar.gz');
  const limits = { maxDecodedBytes: 10_000_000, maxBytes: 1_000_000, maxEntries: 100 };
  await writeFile(path, gzipSync(archive([{ path: 'first.yaml', body: 'first' }, ...parts])));
  const puts = [store.putLayer({ path, ignore: null, ...limits }, never), store.keepLayer({ path, ...limits }, never)];
  for (const put of await Promise.allSettled(puts))
    expect(put).toMatchObject({ status: 'rejected', reason: { code: expect.stringMatching(/^(badRequest|artifactTooLarge)$/) } });
  expect(await store.list()).toEqual([]);
  expect(await readdir(join(root, 'store', 'tmp'))).toEqual([]);
});

test('more entries than allowed are refused', async () => {
  const tarPath = join(root, 'many.tar');
  await writeFile(tarPath, archive(Array.from({ length: 50 }, (_, index) => ({ path: `f${index}`, body: '' }))));
  await expect(store.put({ tarPath, ignore: null, maxBytes: 1_000_000, maxEntries: 49 }, never)).rejects.toMatchObject({
    code: 'artifactTooLarge',
  });
  expect((await store.put({ tarPath, ignore: null, maxBytes: 1_000_000, maxEntries: 50 }, never)).fileCount).toBe(50);
});

test.each([
  ['not a tar', Buffer.from('x'.repeat(2_000))],
  ['cut', archive([{ path: 'a', body: 'y'.repeat(5_000) }]).subarray(0, 2_000)],
])('%s is refused', async (_name, bytes) => {
  const tarPath = join(root, 'bad.tar');
  await writeFile(tarPath, bytes);
  await expect(store.put({ tarPath, ignore: null, maxBytes: 1_000_000, maxEntries: 100 }, never)).rejects.toMatchObject({
    code: 'badRequest',
  });
});

test('benign twin: the nearest legitimate archive is stored', async () => {
  const tarPath = join(root, 'in.tar');
  await writeFile(
    tarPath,
    archive([
      { path: 'a/', type: 'Directory' },
      { path: './a/b.yaml', body: 'b' },
      { path: 'caf\u00e9', body: '1' },
      { path: 'x', body: 'x', pax: { path: `${'n'.repeat(200)}/ok..yaml` } },
      { path: '...', body: 'dots' },
      good,
    ]),
  );
  const { digest, fileCount } = await store.put({ tarPath, ignore: null, maxBytes: 1_000_000, maxEntries: 100 }, never);
  expect(fileCount).toBe(5);
  expect([...(await store.index(digest)).keys()]).toContain(`${'n'.repeat(200)}/ok..yaml`);
});

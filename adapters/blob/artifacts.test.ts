import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#core/time.ts';
import { type ArtifactStore, createArtifacts } from './artifacts.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const limits = { maxBytes: 10_000_000, maxEntries: 1_000 } as const;
let root: string;
let store: ArtifactStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-blob-'));
  store = createArtifacts({ dir: join(root, 'store'), clock: systemClock });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function tarOf(
  files: Readonly<Record<string, string>>,
  prepare: (tree: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const tree = await mkdtemp(join(root, 'tree-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  await prepare(tree);
  const tarPath = `${tree}.tar`;
  await run('tar', ['-cf', tarPath, '-C', tree, ...(await readdir(tree))]);
  return tarPath;
}

async function keptFrom(files: Readonly<Record<string, string>>, ignore: string | null): Promise<readonly string[]> {
  const { digest } = await store.put({ tarPath: await tarOf(files), ignore, ...limits }, never);
  return [...(await store.index(digest)).keys()];
}

test('the same content has the same digest, whatever owners, times, modes and order', async () => {
  const files = { 'b/c.yaml': 'c: 1\n', 'a.yaml': 'a: 1\n' };
  const first = await store.put({ tarPath: await tarOf(files), ignore: null, ...limits }, never);
  const again = await tarOf({ 'a.yaml': 'a: 1\n', 'b/c.yaml': 'c: 1\n' }, async (tree) => {
    await utimes(join(tree, 'a.yaml'), 1, 1);
    await chmod(join(tree, 'a.yaml'), 0o604);
  });
  expect(await store.put({ tarPath: again, ignore: null, ...limits }, never)).toEqual(first);
  const other = await store.put({ tarPath: await tarOf({ ...files, 'a.yaml': 'a: 2\n' }), ignore: null, ...limits }, never);
  expect(other.digest).not.toBe(first.digest);
});

test('plain tar unpacks an artifact: sorted, without owners and times, with long and odd names', async () => {
  const long = `${'d'.repeat(120)}/${'e'.repeat(120)}/f.yaml`;
  const { digest, fileCount, sizeBytes } = await store.put(
    {
      tarPath: await tarOf({ [long]: 'deep', 'ümlaut é.yaml': 'u', ['__proto__']: 'p', 'run.sh': '#!/bin/sh\n' }, (tree) =>
        chmod(join(tree, 'run.sh'), 0o755),
      ),
      ignore: null,
      ...limits,
    },
    never,
  );
  const { path } = await store.open(digest, never);
  const listing = (await run('tar', ['-tvzf', path, '--utc', '--quoting-style=literal'])).stdout.trim().split('\n');
  expect(fileCount).toBe(4);
  expect(sizeBytes).toBe((await readFile(path)).byteLength);
  expect(listing.every((line) => line.includes('0/0') && line.includes('1970-01-01'))).toBe(true);
  expect(listing.map((line) => line.slice(0, 10))).toEqual([
    '-rw-------',
    'drwxr-x---',
    'drwxr-x---',
    '-rw-------',
    '-rwx------',
    '-rw-------',
  ]);
  expect(listing.at(3)).toContain(long);
  expect([...(await store.index(digest)).keys()]).toContain('__proto__');
});

test('unpackTo writes the files and nothing else', async () => {
  const { digest } = await store.put({ tarPath: await tarOf({ 'x/a.yaml': 'a', 'run.sh': 'r' }), ignore: null, ...limits }, never);
  const target = join(root, 'out');
  await store.unpackTo(digest, target, limits, never);
  expect((await readdir(target, { recursive: true })).sort()).toEqual(['run.sh', 'x', 'x/a.yaml']);
  expect(await readFile(join(target, 'x/a.yaml'), 'utf8')).toBe('a');
  await expect(store.unpackTo(digest, target, limits, never)).rejects.toThrow('empty folder');
  await expect(store.unpackTo(digest, join(root, 'small'), { maxBytes: 1, maxEntries: 1 }, never)).rejects.toMatchObject({
    code: 'artifactTooLarge',
  });
});

test('symbolic links are left out as in Flux, wherever they lead', async () => {
  const tarPath = await tarOf({ 'a.yaml': 'a' }, async (tree) => {
    await symlink('a.yaml', join(tree, 'inside'));
    await symlink('/etc/passwd', join(tree, 'outside'));
    await symlink('..', join(tree, 'up'));
  });
  const { digest } = await store.put({ tarPath, ignore: null, ...limits }, never);
  expect([...(await store.index(digest)).keys()]).toEqual(['a.yaml']);
});

const TREE = {
  'a.yaml': '1',
  'pic.png': '1',
  'doc/b.jpg': '1',
  '.gitignore': '1',
  '.github/x.yml': '1',
  'sub/.sops.yaml': '1',
  'deploy/app/k.yaml': '1',
  'deploy/app.md': '1',
  'sub/.github/y': '1',
} as const;

test('without rules the default list applies', async () => {
  // The CI folders and files are named without a leading slash: they are left out in every folder.
  expect(await keptFrom(TREE, null)).toEqual(['a.yaml', 'deploy/app.md', 'deploy/app/k.yaml']);
});

test('any rule drops the default list except the version control group', async () => {
  expect(await keptFrom(TREE, '*.md')).toEqual(
    ['.github/x.yml', 'a.yaml', 'deploy/app/k.yaml', 'doc/b.jpg', 'pic.png', 'sub/.github/y', 'sub/.sops.yaml'].sort(),
  );
  expect(await keptFrom({ ...TREE, 'sub/.sourceignore': 'nothing-here\n' }, null)).toContain('pic.png');
  expect(await keptFrom(TREE, '# only a comment\n\n')).not.toContain('pic.png');
});

test('version control files come back only when a rule names them', async () => {
  expect(await keptFrom(TREE, '!.gitignore')).toContain('.gitignore');
});

test('a folder below an excluded one can be included again, which git itself would not do', async () => {
  expect(await keptFrom(TREE, '/*\n!/deploy/app\n')).toEqual(['deploy/app/k.yaml']);
});

test('.sourceignore counts in its own folder, deeper ones later, spec.ignore last', async () => {
  const files = {
    '.sourceignore': '*.txt\n',
    'a.txt': '1',
    'x/.sourceignore': '!keep.txt\nown.md\n',
    'x/keep.txt': '1',
    'x/own.md': '1',
    'own.md': '1',
    'y/keep.txt': '1',
  } as const;
  expect(await keptFrom(files, null)).toEqual(['.sourceignore', 'own.md', 'x/.sourceignore', 'x/keep.txt']);
  expect(await keptFrom(files, 'keep.txt\n!a.txt')).toEqual(['.sourceignore', 'a.txt', 'own.md', 'x/.sourceignore']);
});

test('limits count what is kept', async () => {
  const tarPath = await tarOf({ 'a.yaml': 'a'.repeat(100), 'big.png': 'b'.repeat(5_000) });
  const input = { tarPath, maxBytes: 1_000, maxEntries: 1 };
  expect((await store.put({ ...input, ignore: null }, never)).fileCount).toBe(1);
  await expect(store.put({ ...input, ignore: '# x\n*.md' }, never)).rejects.toMatchObject({ code: 'artifactTooLarge' });
  await expect(store.put({ ...input, maxEntries: 10, ignore: '*.md' }, never)).rejects.toMatchObject({ code: 'artifactTooLarge' });
});

test('a damaged artifact is noticed, removed and can be built again', async () => {
  const tarPath = await tarOf({ 'a.yaml': 'a' });
  const { digest } = await store.put({ tarPath, ignore: null, ...limits }, never);
  const { path } = await store.open(digest, never);
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, -3));
  await expect(store.unpackTo(digest, join(root, 'o'), limits, never)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('damaged'),
  });
  expect(await store.has(digest)).toBe(false);
  await store.put({ tarPath, ignore: null, ...limits }, never);
  expect((await store.open(digest, never)).sizeBytes).toBe(bytes.byteLength);
});

const layerLimits = { maxDecodedBytes: 1_000_000, maxBytes: 500_000, maxEntries: 50 } as const;

async function layerOf(...args: Parameters<typeof tarOf>): Promise<string> {
  const path = `${await tarOf(...args)}.gz`;
  await writeFile(path, gzipSync(await readFile(path.slice(0, -3))));
  return path;
}

test('a layer becomes the artifact that its tree would be, without symbolic links and what the rules name', async () => {
  const files = { 'a.yaml': 'a', 'b.md': 'b', '.sourceignore': '*.md\n' };
  const path = await layerOf(files, async (tree) => {
    await symlink('/etc/passwd', join(tree, 'outside'));
  });
  const layer = await store.putLayer({ path, ignore: '.sourceignore', ...layerLimits }, never);
  expect(layer).toEqual(await store.put({ tarPath: await tarOf({ 'a.yaml': 'a' }), ignore: null, ...limits }, never));
});

test('a kept layer has the bytes and the digest it came with, and unpacks as an artifact does', async () => {
  const path = await layerOf({ 'app/Chart.yaml': 'name: app\n', 'app/x.png': 'p' });
  const bytes = await readFile(path);
  const kept = await store.keepLayer({ path, ...layerLimits }, never);
  expect(kept).toEqual({ digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, sizeBytes: bytes.length, fileCount: 2 });
  expect(await readFile((await store.open(kept.digest, never)).path)).toEqual(bytes);
  expect([...(await store.index(kept.digest)).keys()].sort()).toEqual(['app/Chart.yaml', 'app/x.png']);
  await store.unpackTo(kept.digest, join(root, 'out'), limits, never);
  expect(await readFile(join(root, 'out/app/Chart.yaml'), 'utf8')).toBe('name: app\n');
});

test('a layer over a limit, packed or not, is refused and leaves nothing', async () => {
  const path = await layerOf({ 'zeros.yaml': '\0'.repeat(900_000), b: 'b' });
  const tight = [{ maxDecodedBytes: 500_000 }, { maxBytes: 1 }, { maxEntries: 1 }];
  for (const one of tight) {
    await expect(store.putLayer({ path, ignore: null, ...layerLimits, ...one }, never)).rejects.toMatchObject({ code: 'artifactTooLarge' });
    await expect(store.keepLayer({ path, ...layerLimits, ...one }, never)).rejects.toMatchObject({ code: 'artifactTooLarge' });
  }
  expect((await store.putLayer({ path, ignore: 'zeros.yaml', ...layerLimits }, never)).fileCount).toBe(1);
  await writeFile(path, (await readFile(path)).subarray(0, 100));
  await expect(store.putLayer({ path, ignore: null, ...layerLimits }, never)).rejects.toMatchObject({ code: 'badRequest' });
  await expect(store.keepLayer({ path, ...layerLimits }, never)).rejects.toMatchObject({ code: 'badRequest' });
  expect((await store.list()).length).toBe(1);
  expect(await readdir(join(root, 'store', 'tmp'))).toEqual([]);
});

test('collect keeps what is referenced or young, and takes old temporary files', async () => {
  const put = async (content: string) =>
    (await store.put({ tarPath: await tarOf({ 'a.yaml': content }), ignore: null, ...limits }, never)).digest;
  const [old, used, young] = [await put('old'), await put('used'), await put('young')];
  const past = new Date(Date.now() - 100_000);
  for (const digest of [old, used]) await utimes((await store.open(digest, never)).path, past, past);
  await mkdir(join(root, 'store', 'tmp', 'left'), { recursive: true });
  await utimes(join(root, 'store', 'tmp', 'left'), past, past);
  expect(await store.collect({ referenced: new Set([used]), minAgeMs: 60_000 })).toEqual([old]);
  expect((await store.list()).map(({ digest }) => digest).sort()).toEqual([used, young].sort());
  expect(await readdir(join(root, 'store', 'tmp'))).toEqual([]);
});

test('what is put again is young again', async () => {
  const tarPath = await tarOf({ 'a.yaml': 'a' });
  const { digest } = await store.put({ tarPath, ignore: null, ...limits }, never);
  const past = new Date(Date.now() - 100_000);
  await utimes((await store.open(digest, never)).path, past, past);
  await store.put({ tarPath, ignore: null, ...limits }, never);
  expect(await store.collect({ referenced: new Set(), minAgeMs: 60_000 })).toEqual([]);
});

test.each(['sha256:../../x', 'sha256:ABC', '', `sha512:${'a'.repeat(64)}`, `sha256:${'a'.repeat(63)}/`])(
  '"%s" names no artifact',
  async (digest) => {
    await expect(store.has(digest)).rejects.toMatchObject({ code: 'badRequest' });
  },
);

test('a put that is stopped leaves nothing behind', async () => {
  const tarPath = await tarOf({ 'a.yaml': 'a' });
  await cp(tarPath, `${tarPath}.copy`);
  await expect(store.put({ tarPath, ignore: null, ...limits }, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  expect(await store.list()).toEqual([]);
  expect(await readdir(join(root, 'store', 'tmp'))).toEqual([]);
});

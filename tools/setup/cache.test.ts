import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheRoot, fillEntry, findEntry } from './cache.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-cache-'));
});
afterEach(() => rm(root, { recursive: true }));

const ignore = (): void => undefined;

test('a filled entry is found again with its checksum', async () => {
  const entry = { folder: join(root, 'tool-1'), file: 'tool' };
  expect(await findEntry(entry, ignore)).toBeUndefined();
  const path = await fillEntry(entry, ignore, (folder) => writeFile(join(folder, 'tool'), 'program'));
  expect(await findEntry(entry, ignore)).toBe(path);
  expect((await readdir(join(root, 'tool-1'))).sort()).toEqual(['sha256', 'tool']);
});

test('a changed program is not used again', async () => {
  const entry = { folder: join(root, 'tool-1'), file: 'tool' };
  const path = await fillEntry(entry, ignore, (folder) => writeFile(join(folder, 'tool'), 'program'));
  await writeFile(path, 'changed');
  let damaged = 0;
  expect(await findEntry(entry, () => (damaged += 1))).toBeUndefined();
  expect(damaged).toBe(1);
  expect(await readdir(root)).toEqual([]);
});

test('of two set-ups at once one makes the program and the other waits for it', async () => {
  const entry = { folder: join(root, 'tool-1'), file: 'tool' };
  let made = 0;
  let waited = 0;
  async function fill(folder: string): Promise<void> {
    made += 1;
    await new Promise((done) => setTimeout(done, 300));
    await writeFile(join(folder, 'tool'), 'program');
  }
  const [one, two] = await Promise.all([fillEntry(entry, () => (waited += 1), fill), fillEntry(entry, () => (waited += 1), fill)]);
  expect([one, made, waited]).toEqual([two, 1, 1]);
});

test('a fill that fails leaves nothing behind', async () => {
  const entry = { folder: join(root, 'tool-1'), file: 'tool' };
  const failing = fillEntry(entry, ignore, async (folder) => {
    await writeFile(join(folder, 'half'), 'pro');
    throw new Error('no compiler');
  });
  await expect(failing).rejects.toThrow('no compiler');
  expect(await readdir(root)).toEqual([]);
});

test('what a killed set-up left is cleared away by the next', async () => {
  await mkdir(join(root, 'tool-1.tmp-1', 'half'), { recursive: true });
  await mkdir(join(root, 'tool-2.tmp-1'));
  await fillEntry({ folder: join(root, 'tool-1'), file: 'tool' }, ignore, (folder) => writeFile(join(folder, 'tool'), 'program'));
  expect((await readdir(root)).sort()).toEqual(['tool-1', 'tool-2.tmp-1']);
});

test('the cache is below XDG_CACHE_HOME only when that is an absolute path', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/weir/tools');
  expect(cacheRoot({ XDG_CACHE_HOME: 'me' })).toMatch(/\/\.cache\/weir\/tools$/);
  expect(cacheRoot({})).toBe(cacheRoot({ XDG_CACHE_HOME: '' }));
});

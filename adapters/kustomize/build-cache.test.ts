import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#core/time.ts';
import type { Built } from './build-cache.ts';
import { createBuildCache, sha256 } from './build-cache.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-cache-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const limits = { maxEntries: 3, maxAgeMs: 60_000, maxEntryBytes: 10_000 };
const built: Built = {
  objects: [{ object: { apiVersion: 'v1', kind: 'A', metadata: { name: 'a' }, big: 9007199254740993n, small: 1 }, text: 'x: ${v}' }],
  names: ['v'],
};
const key = (text: string): string => sha256(text);

test('what is put comes back, large integers too; another key is missing', async () => {
  const cache = createBuildCache(dir, limits, systemClock);
  expect(await cache.get(key('a'))).toBe(null);
  await cache.put(key('a'), built);
  expect(await cache.get(key('a'))).toEqual(built);
  expect(await cache.get(key('b'))).toBe(null);
});

test('a damaged entry is removed and counts as missing', async () => {
  const cache = createBuildCache(dir, limits, systemClock);
  await cache.put(key('a'), built);
  const path = join(dir, `${key('a')}.json`);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"A"', '"B"'));
  expect(await cache.get(key('a'))).toBe(null);
  expect(await readdir(dir)).toEqual([]);
});

test('the oldest go over the limit, what is too old goes, and what is too large is not kept', async () => {
  let nowMs = Date.now();
  const cache = createBuildCache(dir, limits, { nowMs: () => nowMs, random: Math.random });
  for (const name of ['a', 'b', 'c', 'd', 'e']) await cache.put(key(name), built);
  expect(await readdir(dir)).toHaveLength(3);
  nowMs += 120_000;
  await cache.put(key('late'), built);
  expect((await readdir(dir)).length).toBeLessThanOrEqual(1);
  await cache.put(key('large'), { objects: [{ object: { text: 'x'.repeat(20_000) }, text: null }], names: [] });
  expect(await cache.get(key('large'))).toBe(null);
});

import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiCache } from './api-cache.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-api-cache-'));
});
afterAll(() => rm(root, { recursive: true }));

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  return path;
}

test('what one key keeps is lent to that key alone, and a later answer replaces it without touching what is lent', async () => {
  const dir = join(root, 'cache');
  const cache = createApiCache(dir);
  await cache.keep('a', new Map([['one', Buffer.from('first')]]));
  const [mine, other, later] = [await folder('mine'), await folder('other'), await folder('later')];
  await cache.lend('a', mine);
  await cache.lend('b', other);
  await cache.keep('a', new Map([['two', Buffer.from('second')]]));
  await cache.lend('a', later);
  expect(await readFile(join(mine, 'one'), 'utf8')).toBe('first');
  expect(await readdir(other)).toEqual([]);
  expect(await readdir(later)).toEqual(['two']);
  expect(await readdir(dir), 'what was replaced is gone').toHaveLength(1);
});

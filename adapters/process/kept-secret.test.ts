import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptSecret } from './kept-secret.ts';

const holder = { dir: '' };
beforeEach(async () => {
  holder.dir = await mkdtemp(join(tmpdir(), 'weir-kept-'));
});
afterEach(() => rm(holder.dir, { recursive: true }));

test('of many at once one makes it, all read the same, nothing else is left, and nobody else may read it', async () => {
  const file = join(holder.dir, 'keys', 'api');
  const read = await Promise.all(Array.from({ length: 20 }, () => keptSecret(file)));
  expect(new Set(read).size).toBe(1);
  expect(read[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(await keptSecret(file)).toBe(read[0]);
  expect(await readdir(join(holder.dir, 'keys'))).toEqual(['api']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('two files hold two secrets; one that cannot be read is an error, not a new one', async () => {
  expect(await keptSecret(join(holder.dir, 'a'))).not.toBe(await keptSecret(join(holder.dir, 'b')));
  await expect(keptSecret(holder.dir)).rejects.toThrow(/EISDIR/);
});

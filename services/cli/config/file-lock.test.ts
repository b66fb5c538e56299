import { mkdir, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const options = { waitMs: 5_000, nowMs: () => Date.now() };

test('one at a time, and the lock is gone afterwards, after an error too', async () => {
  const path = join(dir, 'lock');
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(10);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, () => withFileLock(path, options, work)));
  expect(most).toBe(1);
  await expect(withFileLock(path, options, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the lock of a killed process is broken, a held one is waited for until the time is over', async () => {
  const path = join(dir, 'lock');
  await mkdir(path);
  await expect(withFileLock(path, { ...options, waitMs: 100 }, async () => 'done')).rejects.toMatchObject({ exitCode: 2 });
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(path, longAgo, longAgo);
  expect(await withFileLock(path, options, async () => 'done')).toBe('done');
});

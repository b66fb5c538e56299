import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './lock.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-lock-'));
});
afterEach(() => rm(root, { recursive: true }));

/** No process has this id: the kernel's limit is 2^22. */
const deadPid = 2 ** 22 + 1;

test('a lock whose holder died is taken over at once', async () => {
  const path = join(root, 'a.lock');
  await mkdir(path);
  await writeFile(join(path, 'owner.json'), JSON.stringify({ pid: deadPid, host: hostname() }));
  expect(
    await withLock(
      path,
      () => expect.unreachable('waited for a dead process'),
      async () => 'done',
    ),
  ).toBe('done');
  expect(await readdir(root)).toEqual([]);
});

test('a lock of another machine is taken over when nobody touches it', async () => {
  const path = join(root, 'a.lock');
  await mkdir(path);
  await writeFile(join(path, 'owner.json'), JSON.stringify({ pid: deadPid, host: 'another-machine' }));
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(path, longAgo, longAgo);
  expect(
    await withLock(
      path,
      () => undefined,
      async () => 'done',
    ),
  ).toBe('done');
});

test('a lock is given back when the work fails', async () => {
  const path = join(root, 'a.lock');
  await expect(
    withLock(
      path,
      () => undefined,
      () => Promise.reject(new Error('broken')),
    ),
  ).rejects.toThrow('broken');
  expect(await readdir(root)).toEqual([]);
});

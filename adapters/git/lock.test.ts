import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#core/time.ts';
import { withLock } from './lock.ts';

const never = new AbortController().signal;
let root: string;
let path: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-lock-'));
  path = join(root, 'x.lock');
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('one at a time, and nothing is left behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(5);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 12 }, () => withLock(path, systemClock, never, work)));
  expect(most).toBe(1);
  expect(await readdir(root)).toEqual([]);
});

test('the lock is given back when the work throws', async () => {
  await expect(withLock(path, systemClock, never, () => Promise.reject(new Error('work')))).rejects.toThrow('work');
  expect(await withLock(path, systemClock, never, async () => 'next')).toBe('next');
});

test('a lock of a process that is gone is taken over at once', async () => {
  const child = spawn('true');
  const pid = child.pid ?? 0;
  await new Promise((resolve) => child.on('exit', resolve));
  await writeFile(path, `${hostname()} ${pid} token`);
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 5 }, () => withLock(path, systemClock, never, async () => undefined)));
  expect(performance.now() - startMs).toBeLessThan(3_000);
});

test('a lock of another host is taken over only when it is old', async () => {
  await writeFile(path, 'elsewhere 1 token');
  await expect(withLock(path, systemClock, AbortSignal.timeout(300), async () => undefined)).rejects.toThrow();
  const old = new Date(Date.now() - 60_000);
  await utimes(path, old, old);
  expect(await withLock(path, systemClock, never, async () => 'mine')).toBe('mine');
});

test('benign twin: a living holder keeps its lock', async () => {
  await writeFile(path, `${hostname()} ${process.pid} token`);
  await expect(withLock(path, systemClock, AbortSignal.timeout(300), async () => undefined)).rejects.toThrow();
});

import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#core/time.ts';

const BEAT_MS = 2_000;
const STALE_AFTER_MS = 15_000;
const LOOK_AGAIN_MS = 50;

/**
 * Runs `work` while nobody else, in this or another process, holds the lock file. It only saves work: git itself keeps two fetches into one
 * mirror apart, so a lock that is taken over from a stopped process by mistake costs a second fetch and nothing else.
 * A lock is stale when its process is gone (same host) or has not touched the file for 15 s.
 */
export async function withLock<T>(path: string, clock: Clock, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const token = `${hostname()} ${process.pid} ${randomUUID()}`;
  while (!(await take(path, token))) {
    if (await isStale(path, clock)) await putAside(path);
    else await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
  const beat = setInterval(() => void touch(path, clock), BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await textOf(path)) === token) await rm(path, { force: true });
  }
}

async function take(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(token);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string, clock: Clock): Promise<boolean> {
  try {
    const [host, pid] = (await readFile(path, 'utf8')).split(' ');
    if (clock.nowMs() - (await stat(path)).mtimeMs > STALE_AFTER_MS) return true;
    return host === hostname() && pid !== undefined && !isAlive(Number(pid));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Renamed, not deleted: of several who saw the same stale lock, one wins. */
async function putAside(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

async function touch(path: string, clock: Clock): Promise<void> {
  const now = new Date(clock.nowMs());
  await utimes(path, now, now).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

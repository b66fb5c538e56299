import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { unanswered } from '#services/cli/failure.ts';

/** A holder that is older was killed: a refresh takes at most its own time limit. */
const staleMs = 60_000;
const pollMs = 50;

/** Runs `work` while no other process holds the lock at `path`. Throws CliFailure (exit 2) when it is not had within `waitMs`. */
export async function withFileLock<T>(
  path: string,
  options: Readonly<{ waitMs: number; nowMs: () => number }>,
  work: () => Promise<T>,
): Promise<T> {
  const until = options.nowMs() + options.waitMs;
  while (!(await take(path))) {
    await breakStale(path, options.nowMs());
    if (options.nowMs() > until)
      throw unanswered(`another weir has held ${path} for ${options.waitMs / 1_000} s`, {
        next: `run the command again; if no other weir runs, remove ${path}`,
      });
    await sleep(pollMs);
  }
  try {
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Only one process can move it away, so that a lock just taken by another is not removed with it. */
async function breakStale(path: string, nowMs: number): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs < staleMs) return;
    const away = `${path}.stale-${process.pid}`;
    await rename(path, away);
    await rm(away, { recursive: true, force: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

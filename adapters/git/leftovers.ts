import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Clock } from '#core/time.ts';
import { SIGN_PREFIX } from './sign.ts';

export type LeftoverOptions = Readonly<{
  workDir: string;
  mirrorsDir: string /** Longer than any run takes. */;
  minAgeMs: number;
  clock: Clock;
}>;

/**
 * Removes what killed processes left behind: temporary folders of every tenant, half-made mirrors, packs that never came to their end.
 * Touches nothing younger than `minAgeMs`. Answers how many it removed. Idempotent (reliability.md, fault 30).
 */
export async function removeLeftovers({ workDir, mirrorsDir, minAgeMs, clock }: LeftoverOptions): Promise<number> {
  const before = clock.nowMs() - minAgeMs;
  // Keys of commits that were being signed, in a folder that everybody shares.
  const candidates: string[] = [];
  for (const path of await pathsIn(tmpdir())) if (basename(path).startsWith(SIGN_PREFIX) && (await isOurs(path))) candidates.push(path);
  for (const tenant of await pathsIn(join(workDir, 'tenant'))) candidates.push(...(await pathsIn(tenant)));
  for (const mirror of await pathsIn(mirrorsDir)) {
    if (/\.new-\d+$|\.lock\.[0-9a-f-]+$/.test(mirror)) candidates.push(mirror);
    else candidates.push(...(await pathsIn(join(mirror, 'objects', 'pack'))).filter((path) => path.includes('/tmp_')));
  }
  let removed = 0;
  for (const path of candidates) {
    const changedAtMs = await stat(path).then(
      (found) => found.mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (changedAtMs > before) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

function isOurs(path: string): Promise<boolean> {
  return stat(path).then(
    ({ uid }) => uid === process.getuid?.(),
    () => false,
  );
}

async function pathsIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch (error) {
    // Not there yet, or a file such as a lock.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}

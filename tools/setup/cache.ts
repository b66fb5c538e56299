import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, constants, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { hasCode, withLock } from './lock.ts';

/** Where programs are kept for all checkouts of this user: `$XDG_CACHE_HOME/weir/tools`, else `~/.cache/weir/tools`. */
export function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  return join(base, 'weir', 'tools');
}

/** A folder in the cache that holds one program (`file` is relative to it) and, beside it, the program's SHA-256. */
export type Entry = Readonly<{ folder: string; file: string }>;

/** The program's path if it is there and is what was put there, else undefined. A damaged one is removed and `onDamage` called. */
export async function findEntry(entry: Entry, onDamage: () => void): Promise<string | undefined> {
  const path = join(entry.folder, entry.file);
  const recorded = await readIfThere(join(entry.folder, 'sha256'));
  if (recorded === undefined) return undefined;
  const runs = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (runs && (await sha256Of(path)) === recorded.trim()) return path;
  onDamage();
  await rm(entry.folder, { recursive: true, force: true });
  return undefined;
}

/**
 * Lets `fill` make the program in a fresh folder and publishes it by rename: nobody ever sees half of it.
 * Locked against a second set-up, which then finds the result. Returns the program's path.
 */
export async function fillEntry(entry: Entry, onWait: () => void, fill: (folder: string) => Promise<void>): Promise<string> {
  await mkdir(dirname(entry.folder), { recursive: true });
  return await withLock(`${entry.folder}.lock`, onWait, async () => {
    const ready = await findEntry(entry, () => undefined);
    if (ready !== undefined) return ready;
    await removeLeftovers(entry.folder);
    const fresh = `${entry.folder}.tmp-${process.pid}`;
    await mkdir(fresh);
    try {
      await fill(fresh);
      const made = join(fresh, entry.file);
      if (!(await stat(made)).isFile()) throw new Error(`${made} is not a file`);
      await chmod(made, 0o755);
      await writeFile(join(fresh, 'sha256'), `${await sha256Of(made)}\n`);
      await publish(fresh, entry.folder);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
    return join(entry.folder, entry.file);
  });
}

/** What a set-up that was killed has left: nobody else works on it, since we hold the lock. */
async function removeLeftovers(folder: string): Promise<void> {
  const beside = await readdir(dirname(folder));
  const left = beside.filter((name) => name.startsWith(`${basename(folder)}.tmp-`));
  for (const name of left) await rm(join(dirname(folder), name), { recursive: true, force: true });
}

async function publish(fresh: string, folder: string): Promise<void> {
  try {
    await rename(fresh, folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  }
}

/** SHA-256 of a file in hex, read in pieces. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece);
  return hash.digest('hex');
}

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

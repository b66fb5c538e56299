import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Puts the loose objects of commits that the remote has taken into the mirror, so that the next writer need not fetch them. The commits, parents first, come last: where one is,
 * its tree, files and parents are too, even when this is cut off. Idempotent; who may have a commit is still decided by what their own `ls-remote` advertises.
 */
export async function keepObjects(from: string, mirror: string, commits: readonly string[]): Promise<void> {
  const last = commits.map((commit) => join(commit.slice(0, 2), commit.slice(2)));
  const isLast = new Set(last);
  const names: string[] = [];
  for (const folder of await readdir(from))
    if (/^[0-9a-f]{2}$/.test(folder)) for (const name of await readdir(join(from, folder))) names.push(join(folder, name));
  for (const name of [...names.filter((one) => !isLast.has(one)), ...last]) {
    await mkdir(join(mirror, 'objects', name.slice(0, 2)), { recursive: true });
    const fresh = join(mirror, 'objects', name.slice(0, 2), `tmp_obj_${randomUUID()}`);
    try {
      await copyFile(join(from, name), fresh);
      await rename(fresh, join(mirror, 'objects', name));
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const maxLines = 400;

/** Files that may be longer, each with its own limit and the reason. */
const allowed: Readonly<Record<string, Readonly<{ lines: number; reason: string }>>> = {};

export type LongFile = Readonly<{ path: string; lines: number; allowed: number | undefined }>;

/** The files that are longer than they may be. */
export async function longFiles(root: string, paths: readonly string[]): Promise<readonly LongFile[]> {
  const found: LongFile[] = [];
  for (const path of paths) {
    const lines = (await readFile(join(root, path), 'utf8')).split('\n').length - 1;
    const limit = Object.hasOwn(allowed, path) ? allowed[path]?.lines : undefined;
    if (lines > (limit ?? maxLines)) found.push({ path, lines, allowed: limit });
  }
  return found;
}

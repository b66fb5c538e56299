import { AppError } from '#core/errors.ts';

const MAX_PATH_BYTES = 4_096;
const MAX_NAME_BYTES = 255;

/**
 * The names of an archive entry's path. Throws AppError artifactTooLarge for an overlong path and badRequest for one that is absolute,
 * climbs, holds NUL or is empty (threats D1). Nothing is repaired: a repaired path is another file. Pure.
 */
export function entryNames(path: string): readonly string[] {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw new AppError('artifactTooLarge', `a path in the archive is longer than ${MAX_PATH_BYTES} bytes`);
  const plain = path.replace(/^\.\//, '').replace(/\/+$/, '');
  const names = plain.split('/');
  for (const name of names) {
    if (name === '' || name === '.' || name === '..' || name.includes('\0') || !name.isWellFormed())
      throw refused(`the path ${shown(path)} of an archive entry is not allowed`);
    if (Buffer.byteLength(name) > MAX_NAME_BYTES)
      throw new AppError('artifactTooLarge', `a file name in the archive is longer than ${MAX_NAME_BYTES} bytes`);
  }
  return Object.freeze(names);
}

export function refused(message: string): AppError {
  return new AppError('badRequest', message);
}

/** A path for a message: control characters shown as escapes, cut. */
export function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

/**
 * Names of each path of a list of files that comes from outside as one flat list of texts: no path may be empty, absolute, climb, hold `.`, NUL or more than
 * the file system takes, none may be a folder of another, and no two may differ in letter case or Unicode form only (threats D4). Throws AppError
 * badRequest or artifactTooLarge that quotes the path. Pure.
 */
export function checkFilePaths(paths: readonly string[]): void {
  const folded = new Map<string, string>();
  const files = new Set<string>();
  for (const path of paths) {
    // A repaired path is another file, so nothing that entryNames would strip is let through.
    if (path.startsWith('./') || path.endsWith('/')) throw refused(`the path ${shown(path)} is not allowed`);
    const names = entryNames(path);
    for (let end = 1; end <= names.length; end += 1) {
      const part = names.slice(0, end).join('/');
      const key = part.normalize('NFC').toLowerCase();
      const known = folded.get(key);
      if (known !== undefined && known !== part)
        throw refused(`the paths ${shown(known)} and ${shown(part)} differ in letter case or Unicode form only: rename one`);
      folded.set(key, part);
      if (end === names.length ? known !== undefined : files.has(part))
        throw refused(`the path ${shown(part)} is a file and a folder, or comes twice`);
    }
    files.add(path);
  }
}

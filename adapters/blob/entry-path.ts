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

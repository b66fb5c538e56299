import { AppError } from '#core/errors.ts';
import { at, canonicalJson, isObject, parseJson } from '#core/json.ts';
import type { StagedEntry } from './stage.ts';

/** What an artifact holds, by path: for digests over just the files that a render reads. */
export type FileIndex = ReadonlyMap<string, Readonly<{ sha256: string; sizeBytes: number }>>;

/** The text of the sidecar file. Pure. */
export function writeFileIndex(digest: string, files: readonly StagedEntry[]): string {
  // A list, since an object cannot hold a file named __proto__ safely.
  return canonicalJson({ artifact: digest, files: files.map(({ path, sha256, sizeBytes }) => [path, sha256, sizeBytes]) });
}

/** Throws AppError unavailable for a text that is no index of this artifact, so that its source builds it again. Pure. */
export function parseFileIndex(text: string, digest: string): FileIndex {
  const value = readJson(text);
  const files = at(value, 'files');
  if (at(value, 'artifact') !== digest || !Array.isArray(files)) throw damaged(digest);
  const index = new Map<string, Readonly<{ sha256: string; sizeBytes: number }>>();
  for (const file of files) {
    const [path, sha256, sizeBytes]: readonly unknown[] = Array.isArray(file) ? file : [];
    if (typeof path !== 'string' || typeof sha256 !== 'string' || typeof sizeBytes !== 'number') throw damaged(digest);
    index.set(path, Object.freeze({ sha256, sizeBytes }));
  }
  return index;
}

function readJson(text: string): ReturnType<typeof parseJson> {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function damaged(digest: string): AppError {
  return new AppError('unavailable', `the index of artifact ${digest} is damaged; its source builds it again`);
}

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '#core/errors.ts';
import { type ReadTarOptions, readTar } from './read-tar.ts';
import type { PackedEntry } from './write-tar.ts';

export type StagedEntry = PackedEntry & Readonly<{ sha256: string }>;
export type Staged = Readonly<{
  entries: readonly StagedEntry[] /** In the order in which Flux reads them: a folder before what is in it, folders by name. */;
  ignoreFiles: readonly Readonly<{ folder: readonly string[]; text: string }>[];
}>;

const IGNORE_FILE = '.sourceignore';
const MAX_IGNORE_BYTES = 1_048_576;

/** Takes a tar apart into numbered files: no path of the archive ever becomes a path on disk. */
export async function stageTar(tarPath: string, directory: string, reading: ReadTarOptions): Promise<Staged> {
  const { signal } = reading;
  const entries: StagedEntry[] = [];
  const ignoreFiles: { folder: readonly string[]; text: string }[] = [];
  await readTar(tarPath, reading, async ({ names, path, isFolder, executable, sizeBytes, content }) => {
    if (isFolder) return void entries.push({ path, isFolder, executable: false, sizeBytes: 0, file: null, sha256: '' });
    const file = join(directory, String(entries.length));
    const hash = createHash('sha256');
    await pipeline(
      content,
      async function* digesting(source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
      { signal },
    );
    entries.push({ path, isFolder, executable, sizeBytes, file, sha256: hash.digest('hex') });
    if (names.at(-1) !== IGNORE_FILE || names.includes('.git')) return;
    if (sizeBytes > MAX_IGNORE_BYTES) throw new AppError('artifactTooLarge', `${IGNORE_FILE} is larger than ${MAX_IGNORE_BYTES} bytes`);
    ignoreFiles.push({ folder: names.slice(0, -1), text: await readFile(file, 'utf8') });
  });
  return { entries, ignoreFiles: ignoreFiles.toSorted((left, right) => compareFolders(left.folder, right.folder)) };
}

/** Entries of a tar that stays as it is: its content is hashed and written nowhere. Throws AppError badRequest, artifactTooLarge as `readTar` does. */
export async function entriesOf(tarPath: string, reading: ReadTarOptions): Promise<readonly StagedEntry[]> {
  const entries: StagedEntry[] = [];
  await readTar(tarPath, reading, async ({ path, isFolder, executable, sizeBytes, content }) => {
    if (isFolder) return void entries.push({ path, isFolder, executable: false, sizeBytes: 0, file: null, sha256: '' });
    const hash = createHash('sha256');
    await pipeline(content, hash, { signal: reading.signal });
    entries.push({ path, isFolder, executable, sizeBytes, file: null, sha256: hash.digest('hex') });
  });
  return entries;
}

function compareFolders(left: readonly string[], right: readonly string[]): number {
  for (const [index, name] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (name !== other) return Buffer.compare(Buffer.from(name), Buffer.from(other));
  }
  return left.length - right.length;
}

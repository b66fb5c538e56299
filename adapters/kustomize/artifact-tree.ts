import { createHash } from 'node:crypto';
import { lstat, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import { refuse } from './refusal.ts';

export type FileEntry = Readonly<{ sha256: string; sizeBytes: number }>;

/** The files of an artifact as its index says. Paths are relative, with `/`, without `.` and `..`; a folder is there when a file lies below it. The root is ''. */
export type ArtifactTree = Readonly<{
  files: ReadonlyMap<string, FileEntry>;
  folders: ReadonlySet<string>;
  /** The bytes of a file of the index, checked against its digest. Throws buildFailed for a link and for a file over the limit. */
  read(path: string): Promise<Buffer>;
}>;

export const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** A tree over an unpacked artifact. Reads only files of the index, and only when they are regular files that lie where their path says. */
export function openTree(dir: string, files: ReadonlyMap<string, FileEntry>): ArtifactTree {
  const folders = new Set<string>(['']);
  for (const path of files.keys()) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.add(path.slice(0, end));
  }
  return Object.freeze({ files, folders, read: (path: string) => readChecked(dir, path, files.get(path)) });
}

async function readChecked(dir: string, path: string, entry: FileEntry | undefined): Promise<Buffer> {
  if (entry === undefined) throw refuse(`${path} is not in the artifact`);
  if (entry.sizeBytes > MAX_FILE_BYTES) throw refuse(`${path} has ${entry.sizeBytes} bytes, the limit for one file is ${MAX_FILE_BYTES}`);
  const full = join(dir, path);
  // Artifacts hold no links; this is for the day on which one gets in anyway: a link in any part of the path changes the real path (threats A6).
  const root = await realpath(dir);
  if ((await lstat(full)).isSymbolicLink() || (await realpath(full)) !== join(root, path))
    throw refuse(`${path} is or lies behind a symbolic link`);
  const bytes = await readFile(full);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== entry.sha256) throw new AppError('internal', `${path} differs from the index of its artifact`);
  return bytes;
}

import { join } from 'node:path';
import { list } from 'tar';
import { AppError } from '#core/errors.ts';
import type { TextFile } from '#core/git-writer.ts';
import { archiveFilesCommand, holdingCommand } from './arguments.ts';
import type { Session } from './git.ts';

const MAX_FILES = 5_000;
const MAX_FILE_BYTES = 1_048_576;
const MAX_BYTES = 67_108_864;
const FILES_PER_COMMAND = 500;
const NAMES_BYTES = 16_777_216;
const FILE_TYPES: ReadonlySet<string> = Object.freeze(new Set(['File', 'OldFile', 'ContiguousFile']));

type Want = Readonly<{ commit: string; folders: readonly string[]; holding: string; accepts(path: string): boolean }>;

/**
 * The regular files of a commit that hold a text, read from the mirror; links are never followed (threats C16), and a file that is no UTF-8 is left out. Throws AppError
 * gitFailed for more than 5,000 files, 1 MiB in one or 64 MiB in all.
 */
export async function readMarkedFiles(session: Session, { commit, folders, holding, accepts }: Want): Promise<readonly TextFile[]> {
  const local = { remote: false, signal: session.signal };
  const { output } = await session.run(holdingCommand(commit, holding, folders), { ...local, maxOutputBytes: NAMES_BYTES });
  const paths = output
    .split('\0')
    .filter((one) => one !== '' && !one.includes('\uFFFD'))
    .map((one) => one.slice(commit.length + 1))
    .filter(accepts);
  if (paths.length > MAX_FILES) throw new AppError('gitFailed', `more than ${MAX_FILES} files hold a marker: set spec.update.path`);
  const found: TextFile[] = [];
  const budget = { left: MAX_BYTES };
  for (let from = 0; from < paths.length; from += FILES_PER_COMMAND) {
    const tarPath = join(session.directory, `files-${from}.tar`);
    await session.run(archiveFilesCommand(commit, tarPath, paths.slice(from, from + FILES_PER_COMMAND)), local);
    found.push(...(await filesIn(tarPath, budget)));
  }
  return found;
}

async function filesIn(tarPath: string, budget: { left: number }): Promise<readonly TextFile[]> {
  const reading: Promise<TextFile | null>[] = [];
  await list({
    file: tarPath,
    strict: true,
    onReadEntry: (entry) => {
      const { path, type, size } = entry;
      if (!FILE_TYPES.has(type)) {
        entry.resume();
        return;
      }
      budget.left -= size;
      const tooLarge =
        size > MAX_FILE_BYTES
          ? `${path.slice(0, 200)} has more than ${MAX_FILE_BYTES} bytes`
          : budget.left < 0
            ? `marked files have more than ${MAX_BYTES} bytes`
            : null;
      if (tooLarge !== null) {
        entry.resume();
        reading.push(Promise.reject(new AppError('gitFailed', `${tooLarge}: set spec.update.path`)));
        return;
      }
      reading.push(entry.concat().then((bytes) => decoded(path, Buffer.from(bytes))));
    },
  });
  const files = await Promise.all(reading);
  return files.filter((one) => one !== null);
}

/** A byte that is lost in reading would be lost in writing: what is not UTF-8 is not touched. */
function decoded(path: string, bytes: Buffer): TextFile | null {
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { entryNames, refused, shown } from '#core/entry-path.ts';
import { AppError } from '#core/errors.ts';

export type TarEntry = Readonly<{
  names: readonly string[];
  path: string;
  isFolder: boolean;
  executable: boolean;
  sizeBytes: number;
  content: AsyncIterable<Buffer>;
}>;
export type ReadTarOptions = Readonly<{
  gzip: boolean;
  maxBytes: number;
  maxEntries: number;
  /** Symbolic links are skipped unless they are refused, as in charts (threats B4). */
  symbolicLinks?: 'skip' | 'refuse';
  signal: AbortSignal;
}>;

const FILE_TYPES: ReadonlySet<string> = Object.freeze(new Set(['File', 'OldFile', 'ContiguousFile']));
const MAX_META_BYTES = 65_536;
const GZIP = Buffer.from([0x1f, 0x8b]);

/**
 * Reads a tar file entry by entry, each wholly before the next. Only regular files and folders reach `onEntry`; symbolic links are
 * skipped, as Flux does ("ignore anything that is not a file or directories"), and everything else is refused: hard links, devices,
 * pipes, unknown types, broken headers, a path that comes twice (also in another Unicode form), a file that is a folder elsewhere.
 * Throws AppError badRequest, or artifactTooLarge once more bytes or entries come than allowed (counted after decompression).
 */
export async function readTar(file: string, options: ReadTarOptions, onEntry: (entry: TarEntry) => Promise<void>): Promise<void> {
  const { signal, maxBytes } = options;
  const failed = new AbortController();
  const seen = createPathCheck(options.maxEntries);
  // Off, because the parser would undo a second layer of packing that nobody counts (threats D8); for gzip `counted` does it, there is no switch.
  const parser = new Parser({ strict: true, maxMetaEntrySize: MAX_META_BYTES, brotli: false, zstd: false });
  let work = Promise.resolve();
  const handle = async (entry: ReadEntry): Promise<void> => {
    const accepted = failed.signal.aborted ? null : accept(entry, seen, options.symbolicLinks ?? 'skip');
    if (accepted !== null) await onEntry(accepted);
    // Content that nobody wants must not hold up what follows.
    entry.resume();
  };
  parser.on('entry', (entry: ReadEntry) => {
    work = work
      .then(() => handle(entry))
      .catch((error: unknown) => {
        failed.abort(error);
        entry.resume();
      });
  });
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    // An extended header that is skipped for its size would leave the next file under another name.
    failed.abort(refused(`the archive holds ${shown(entry.path)} of type ${entry.type}, which is not allowed or too large`));
    entry.resume();
  });
  try {
    const stop = { signal: AbortSignal.any([signal, failed.signal]) };
    if (options.gzip) await pipeline(createReadStream(file), createGunzip(), counted(maxBytes), into(parser), stop);
    else await pipeline(createReadStream(file), counted(maxBytes), into(parser), stop);
    await work;
  } catch (error) {
    signal.throwIfAborted();
    failed.signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw new AppError('badRequest', 'the archive is damaged or is no tar file', {}, { cause: error });
  }
  failed.signal.throwIfAborted();
}

function accept(entry: ReadEntry, seen: PathCheck, symbolicLinks: 'skip' | 'refuse'): TarEntry | null {
  if (entry.type === 'SymbolicLink' && symbolicLinks === 'skip') return null;
  const isFolder = entry.type === 'Directory';
  if (!isFolder && !FILE_TYPES.has(entry.type))
    throw refused(`the archive holds ${shown(entry.path)} of type ${entry.type}: only files and folders are allowed`);
  // The library reads a negative or unreadable size as none.
  if (entry.invalid || entry.header.size === undefined || !Number.isSafeInteger(entry.size))
    throw refused(`the archive entry ${shown(entry.path)} is damaged`);
  const names = entryNames(entry.path);
  seen(names, isFolder);
  return {
    names,
    path: names.join('/'),
    isFolder,
    executable: ((entry.mode ?? 0) & 0o111) !== 0,
    sizeBytes: isFolder ? 0 : entry.size,
    content: entry,
  };
}

type PathCheck = (names: readonly string[], isFolder: boolean) => void;

function createPathCheck(maxEntries: number): PathCheck {
  const kinds = new Map<string, 'file' | 'folder' | 'parent'>();
  let count = 0;
  return (names, isFolder) => {
    count += 1;
    if (count > maxEntries) throw new AppError('artifactTooLarge', `the archive has more than ${maxEntries} entries`);
    const path = names.join('/').normalize('NFC');
    const known = kinds.get(path);
    if (known !== undefined && !(isFolder && known === 'parent')) throw refused(`the archive holds ${shown(names.join('/'))} twice`);
    kinds.set(path, isFolder ? 'folder' : 'file');
    for (let end = names.length - 1; end > 0; end -= 1) {
      const parent = names.slice(0, end).join('/').normalize('NFC');
      const kind = kinds.get(parent);
      if (kind === 'file') throw refused(`the archive holds ${shown(names.slice(0, end).join('/'))} as a file and as a folder`);
      if (kind !== undefined) break;
      kinds.set(parent, 'parent');
    }
  };
}

function counted(maxBytes: number) {
  return async function* count(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let total = 0;
    let start = Buffer.alloc(0);
    for await (const chunk of source) {
      total += chunk.byteLength;
      if (start.length < GZIP.length) {
        start = Buffer.concat([start, chunk.subarray(0, GZIP.length)]).subarray(0, GZIP.length);
        if (start.equals(GZIP)) throw refused('the archive is packed twice');
      }
      if (total > maxBytes) throw new AppError('artifactTooLarge', `the archive is larger than ${maxBytes} bytes`);
      yield chunk;
    }
  };
}

/** Feeds the parser and waits whenever it has enough to do. */
function into(parser: Parser) {
  return async (source: AsyncIterable<Buffer>): Promise<void> => {
    const ended = Promise.withResolvers<void>();
    parser.on('error', ended.reject);
    parser.on('end', () => ended.resolve());
    ended.promise.catch(() => undefined);
    for await (const chunk of source) {
      if (parser.write(chunk)) continue;
      const drained = Promise.withResolvers<void>();
      parser.once('drain', () => drained.resolve());
      await Promise.race([drained.promise, ended.promise]);
    }
    parser.end();
    await ended.promise;
  };
}

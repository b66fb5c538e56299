import { createReadStream } from 'node:fs';
import { Header, Pax } from 'tar';

/** One entry to write: a folder, or a file whose bytes lie in `file`. */
export type PackedEntry = Readonly<{ path: string; isFolder: boolean; executable: boolean; sizeBytes: number; file: string | null }>;

const BLOCK_BYTES = 512;
/** The modes Flux writes (fluxcd/pkg artifact/storage/archive.go). */
const FOLDER_MODE = 0o750;
const FILE_MODE = 0o600;
const PROGRAM_MODE = 0o700;
const EPOCH = new Date(0);

/** The bytes of a tar of these entries in their order, without owners and times: the same entries give the same bytes. */
export async function* tarBytes(entries: readonly PackedEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield* headers(entry);
    if (entry.file === null) continue;
    let written = 0;
    for await (const chunk of createReadStream(entry.file)) {
      if (!(chunk instanceof Buffer)) throw new Error('a file is read as bytes');
      written += chunk.byteLength;
      yield chunk;
    }
    if (written !== entry.sizeBytes) throw new Error('a staged file changed while it was packed');
    yield Buffer.alloc((BLOCK_BYTES - (written % BLOCK_BYTES)) % BLOCK_BYTES);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function* headers({ path, isFolder, executable, sizeBytes }: PackedEntry): Generator<Buffer> {
  const mode = isFolder ? FOLDER_MODE : executable ? PROGRAM_MODE : FILE_MODE;
  const name = isFolder ? `${path}/` : path;
  const header = new Header({ path: name, mode, uid: 0, gid: 0, size: sizeBytes, mtime: EPOCH, type: isFolder ? 'Directory' : 'File' });
  const block = Buffer.alloc(BLOCK_BYTES);
  if (header.encode(block)) yield new Pax({ path: name, size: sizeBytes }).encode();
  yield block;
}

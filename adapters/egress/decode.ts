import type { Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AppError } from '#core/errors.ts';

/** The stream with at most one layer of gzip undone (threats D8), fed to the hash as it is read. Another encoding is an error: only gzip was asked for. */
export function decoded(body: Readable, encoding: string | undefined, hash: Hash): AsyncIterable<Buffer> {
  return hashed(unpacked(body, encoding), hash);
}

function unpacked(body: Readable, encoding: string | undefined): Readable {
  if (encoding === undefined || encoding === '' || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    body.on('error', () => undefined).destroy();
    throw new AppError('upstreamFailed', 'the server answers in an encoding that was not asked for');
  }
  const gunzip = createGunzip();
  body.on('error', (error) => gunzip.destroy(error));
  gunzip.once('close', () => body.destroy());
  return body.pipe(gunzip);
}

async function* hashed(source: Readable, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), 'utf8');
    hash.update(bytes);
    yield bytes;
  }
}

/** Throws AppError upstreamTooLarge once more bytes come than allowed, counted after decompression. */
async function* counted(source: AsyncIterable<Buffer>, maxBytes: number, count: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    count.bytes += chunk.byteLength;
    if (count.bytes > maxBytes) throw new AppError('upstreamTooLarge', `the answer is larger than ${maxBytes} bytes, which is the limit`);
    yield chunk;
  }
}

export async function readBuffer(source: AsyncIterable<Buffer>, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of counted(source, maxBytes, { bytes: 0 })) {
    signal.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Writes a new file of mode 0600 and answers its size; of a failure nothing stays. */
export async function readFile(source: AsyncIterable<Buffer>, path: string, maxBytes: number, signal: AbortSignal): Promise<number> {
  const count = { bytes: 0 };
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const closed = new Promise<void>((resolve) => file.once('close', resolve));
  try {
    await pipeline(counted(source, maxBytes, count), file, { signal });
    return count.bytes;
  } catch (error) {
    // The file may still be about to open: what is removed before that would come back.
    await closed;
    const isForeign = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!isForeign) await rm(path, { force: true });
    throw error;
  }
}

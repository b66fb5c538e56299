import type { Readable } from 'node:stream';
import { AppError } from '#core/errors.ts';

/** The whole body within the limit. Throws AppError tooLarge before anything over it is kept. */
export async function readBody(stream: Readable, contentLength: string | undefined, maxBytes: number): Promise<Uint8Array> {
  if (contentLength !== undefined && Number(contentLength) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) throw new Error('a request body is bytes');
    total += chunk.byteLength;
    if (total > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('tooLarge', `Request entity too large: limit is ${maxBytes}`);
}

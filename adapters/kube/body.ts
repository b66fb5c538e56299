import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** The answer is over the limit; the message names it. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the answer is over ${maxBytes} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/**
 * A stream of the unpacked bytes. Only gzip is asked for, and another encoding is an error. The stream that came in is destroyed together
 * with the one that goes out.
 */
export function unpacked(body: Readable, encoding: string | undefined): Readable {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') throw new Error(`an encoding that was not asked for: ${encoding.slice(0, 40)}`);
  const gunzip = createGunzip();
  body.once('error', (error) => gunzip.destroy(error));
  gunzip.once('close', () => body.destroy());
  body.pipe(gunzip);
  return gunzip;
}

/** Whole text of a body. Bytes are counted after unpacking: on the wire 5 MiB can be 5 kB (libraries.md section 6). Throws BodyTooLarge. */
export async function readText(body: Readable, encoding: string | undefined, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of unpacked(body, encoding)) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), 'utf8');
    bytes += part.length;
    if (bytes > maxBytes) throw new BodyTooLarge(maxBytes);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

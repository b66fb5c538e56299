import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './lock.ts';

export type Transfer = Readonly<{
  url: URL;
  file: string;
  maxBytes: number;
  /** No byte for so long: the connection is dead. */
  idleMs: number;
  /** Over all tries. */
  signal: AbortSignal;
}>;

const maxTries = 4;
const pauseMs = 200;

/**
 * Fetches into `file`. A transfer that breaks off is gone on with from where it was (RFC 9110 section 14), or begun anew where the server gives no part or the file changed; four tries in all.
 * What the bytes are worth is the caller's to check. Throws for an answer other than 2xx, too many bytes, an aborted signal, or the last break.
 */
export async function transfer(wanted: Transfer): Promise<void> {
  const state: Progress = { etag: null };
  for (let tries = 1; ; tries += 1) {
    try {
      await fetchRest(wanted, state);
      return;
    } catch (error) {
      if (tries >= maxTries || wanted.signal.aborted || !(error instanceof BrokenOff))
        throw error instanceof BrokenOff ? error.cause : error;
    }
    await sleep(pauseMs * tries);
  }
}

type Progress = { etag: string | null };

/** The connection ended before the file did: worth another try. */
class BrokenOff extends Error {}

async function fetchRest({ url, file, maxBytes, idleMs, signal }: Transfer, state: Progress): Promise<void> {
  const had = state.etag === null ? 0 : await sizeOf(file);
  const idle = new AbortController();
  const headers: Record<string, string> = had === 0 || state.etag === null ? {} : { range: `bytes=${had}-`, 'if-range': state.etag };
  let timer = setTimeout(() => idle.abort(new Error(`no byte for ${idleMs} ms`)), idleMs);
  const waitAgain = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(new Error(`no byte for ${idleMs} ms`)), idleMs);
  };
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, idle.signal]) }).catch(broken);
    if (!response.ok || response.body === null) throw new Error(`answer ${response.status}`);
    const goesOn = response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${had}-`);
    if (response.status === 206 && !goesOn) throw new Error('the server sent another part than was asked for');
    // Only a strong validator proves that a part belongs to the same bytes.
    const etag = response.headers.get('etag');
    state.etag = etag !== null && etag.startsWith('"') ? etag : null;
    let bytes = goesOn ? had : 0;
    const counted = new Transform({
      transform(piece: Buffer, _encoding, done) {
        waitAgain();
        bytes += piece.length;
        done(bytes > maxBytes ? new TooLong(`more than ${maxBytes} bytes`) : null, piece);
      },
    });
    await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(file, { flags: goesOn ? 'a' : 'w' })).catch(broken);
  } finally {
    clearTimeout(timer);
  }
}

class TooLong extends Error {}

function broken(error: unknown): never {
  if (error instanceof TooLong) throw error;
  throw new BrokenOff('broken off', { cause: error });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

import type { Readable } from 'node:stream';
import { AppError } from '#core/errors.ts';

/**
 * Lines of a watch. Nothing ends a silent or half-open stream but `silenceMs` without a byte; a line over `maxLineBytes` ends it too. The stream is
 * destroyed when the reader stops. Ends normally only when the server ended it properly.
 */
export async function* linesOf(
  body: Readable,
  limits: Readonly<{ silenceMs: number; maxLineBytes: number }>,
): AsyncGenerator<string, void, void> {
  const watchdog = setTimeout(() => body.destroy(new Error('no byte in time')), limits.silenceMs);
  let rest: Buffer[] = [];
  let restBytes = 0;
  try {
    for await (const chunk of body) {
      watchdog.refresh();
      let part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), 'utf8');
      for (let end = part.indexOf(10); end >= 0; end = part.indexOf(10)) {
        yield Buffer.concat([...rest, part.subarray(0, end)]).toString('utf8');
        rest = [];
        restBytes = 0;
        part = part.subarray(end + 1);
      }
      restBytes += part.length;
      if (restBytes > limits.maxLineBytes)
        throw new AppError('clusterAnswer', `one event of a watch is over ${limits.maxLineBytes} bytes, which is the limit`);
      if (part.length > 0) rest.push(part);
    }
  } finally {
    clearTimeout(watchdog);
    body.destroy();
  }
}

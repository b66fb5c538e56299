import type { IncomingMessage } from 'node:http';

/** The lines of an open answer as they come; a line above `maxLineBytes` throws. Ends with the body. */
export async function* linesOf(incoming: IncomingMessage, maxLineBytes: number): AsyncGenerator<string> {
  let rest = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming) {
    rest += String(chunk);
    for (;;) {
      const end = rest.indexOf('\n');
      if (end === -1) break;
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (line.trim() !== '') yield line;
    }
    if (rest.length > maxLineBytes) throw new Error(`a line of the answer is above the limit of ${maxLineBytes} bytes`);
  }
}

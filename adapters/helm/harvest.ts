import type { ApiAnswers } from './api-cache.ts';
import { openUnixServer, readAll } from './unix-server.ts';

export type Harvest = Readonly<{
  /** What a run handed over, or null: nothing, too much, or not in the form. */
  taken(): ApiAnswers | null;
  close(): Promise<void>;
}>;

const MAX_BYTES = 32 * 1024 * 1024;
const MAX_FILES = 128;
/** As client-go names the answers that it keeps. */
const NAME = /^[0-9a-f]{64}$/;

/** Takes from the sandbox, once, what helm keeps of the API server's answers. It comes from where tenants' charts run: only names that are digests, bounded in count and bytes. */
export async function openHarvest(socketPath: string): Promise<Harvest> {
  let answers: ApiAnswers | null = null;
  let asked = false;
  const server = await openUnixServer(socketPath, (socket) => {
    if (asked) socket.destroy();
    else
      readAll(socket, MAX_BYTES, () => new Error('too much'))
        .then((bytes) => {
          answers = answersIn(bytes);
          socket.end();
        })
        // Then there is none, and the next run reads again what this one has read.
        .catch(() => socket.destroy());
    asked = true;
  });
  return Object.freeze({ taken: () => answers, close: () => server.close() });
}

/** Each file is its name, a blank, its size, a line break and its bytes; a line with a dot is behind the last. Null for anything else. Pure. */
export function answersIn(bytes: Buffer): ApiAnswers | null {
  const answers = new Map<string, Buffer>();
  let at = 0;
  while (answers.size <= MAX_FILES) {
    const end = bytes.indexOf(10, at);
    if (end === -1 || end - at > 80) return null;
    const line = bytes.toString('latin1', at, end);
    if (line === '.') return end + 1 === bytes.length && answers.size > 0 ? answers : null;
    const [name = '', size = '', ...more] = line.split(' ');
    if (!NAME.test(name) || !/^(0|[1-9][0-9]{0,8})$/.test(size) || more.length > 0 || answers.has(name)) return null;
    at = end + 1 + Number(size);
    if (at > bytes.length) return null;
    answers.set(name, bytes.subarray(end + 1, at));
  }
  return null;
}

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { isErrno } from '#deploy/local/children.ts';

/**
 * Below the range from which Linux takes the ports of outgoing connections (32768 up): otherwise any connection of any program could
 * sit on the port of a server that is just being restarted.
 */
const lowest = 20_000;
const beyond = 32_000;
const tries = 100;

/** A TCP port of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const port = randomInt(lowest, beyond);
    if (await isFree(port)) return port;
  }
  throw new Error(`${tries} ports of 127.0.0.1 between ${lowest} and ${beyond} were all taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, resolve);
    });
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) return false;
    throw error;
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return true;
}

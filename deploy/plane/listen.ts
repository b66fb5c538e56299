import { createServer } from 'node:net';
import type { Config } from '#core/config.ts';
import { isErrno } from '#deploy/local/children.ts';

const TRIES = 50;

/** The configured port, or the next free one after it; 0 asks the system. Throws when none of the next fifty is free. */
async function choose(config: Pick<Config, 'listen' | 'port'>): Promise<number> {
  if (config.port === 0) return free(config.listen, 0);
  for (let port = config.port; port < config.port + TRIES; port += 1) {
    try {
      return await free(config.listen, port);
    } catch (error) {
      if (!isErrno(error, 'EADDRINUSE')) throw error;
    }
  }
  throw new Error(`no port from ${config.port} to ${config.port + TRIES - 1} is free: set WEIR_PORT`);
}

async function free(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}

export const listen = Object.freeze({ choose });

import { chmod } from 'node:fs/promises';
import { createServer, isIP, type LookupFunction, connect as netConnect, type Socket } from 'node:net';
import { AppError } from '#core/errors.ts';

export type GateOptions = Readonly<{
  /** Path of the socket to make, in a folder of this run alone. */
  socketPath: string;
  /** The cluster's API server: connections lead there and nowhere else. */
  server: string;
  /** Egress policy at the moment of connecting; null: no policy of ours. */
  connectLookup: LookupFunction | null;
}>;

export type Gate = Readonly<{ connections(): number; close(): Promise<void> }>;

const MAX_CONNECTIONS = 64;
const CONNECT_TIMEOUT_MS = 10_000;

/** The only way out of a release's sandbox: a unix socket whose every connection is carried to one API server. Close ends all of them. Throws AppError invalid. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const url = URL.canParse(options.server) ? new URL(options.server) : null;
  if (url?.protocol !== 'https:') throw new AppError('invalid', 'the server of a cluster is an https:// address');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 443 : Number(url.port);
  const open = new Set<Socket>();
  let count = 0;
  const listener = createServer({ allowHalfOpen: true }, (inner) => {
    count += 1;
    open.add(inner);
    dial(host, port, options.connectLookup, (outer) => {
      if (outer === null || inner.destroyed) {
        inner.destroy();
        outer?.destroy();
        return;
      }
      open.add(outer);
      carry(inner, outer, open);
    });
    inner.on('error', () => inner.destroy());
    inner.once('close', () => open.delete(inner));
  });
  listener.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(options.socketPath, resolve);
  });
  await chmod(options.socketPath, 0o666);
  return Object.freeze({
    connections: () => count,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  });
}

/** Null when the policy refuses the address or nothing answers there: helm sees a closed connection and says so. */
function dial(host: string, port: number, lookup: LookupFunction | null, done: (socket: Socket | null) => void): void {
  const start = (): void => {
    const socket = netConnect({ host, port, timeout: CONNECT_TIMEOUT_MS, allowHalfOpen: true, ...(lookup === null ? {} : { lookup }) });
    const fail = (): void => {
      socket.destroy();
      done(null);
    };
    socket.once('error', fail);
    socket.once('timeout', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      socket.off('timeout', fail);
      socket.setTimeout(0);
      done(socket);
    });
  };
  // A socket looks up no name for an address that is written out, so the policy is asked about it here.
  if (lookup === null || isIP(host) === 0) start();
  else lookup(host, { all: true }, (error) => (error === null ? start() : done(null)));
}

function carry(inner: Socket, outer: Socket, open: Set<Socket>): void {
  const end = (): void => {
    inner.destroy();
    outer.destroy();
  };
  inner.on('error', end);
  outer.on('error', end);
  outer.once('close', () => {
    open.delete(outer);
    inner.destroy();
  });
  inner.once('close', () => outer.destroy());
  inner.pipe(outer);
  outer.pipe(inner);
}

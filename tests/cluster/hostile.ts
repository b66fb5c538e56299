import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { createPool, type Pool } from '#adapters/kube/pool.ts';
import { createAuthority, issueCertificate } from '#adapters/x509/issue.ts';
import { systemClock } from '#core/time.ts';

/** A server that stands where an API server should be, and what it saw. */
export type Hostile = Readonly<{ server: string; caPem: string; requests: IncomingMessage[]; close(): Promise<void> }>;

export type HostileCertificate = Readonly<{ host?: string; expired?: boolean }>;

/** `answer` gets each request but the TLS handshake. */
export async function startHostile(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  certificate: HostileCertificate = {},
): Promise<Hostile> {
  const nowMs = Date.now();
  const validMs = 86_400_000;
  const authority = await createAuthority({ commonName: 'hostile CA', validMs: 10 * validMs, nowMs });
  const isForUs = certificate.host === undefined;
  const issued = await issueCertificate(authority, {
    commonName: 'hostile',
    usage: 'server',
    names: [certificate.host ?? 'localhost'],
    addresses: isForUs ? ['127.0.0.1'] : [],
    validMs,
    nowMs: certificate.expired === true ? nowMs - 3 * validMs : nowMs,
  });
  const requests: IncomingMessage[] = [];
  const sockets = new Set<TLSSocket>();
  const listener = createServer({ cert: issued.certificatePem, key: issued.keyPem }, (request, response) => {
    requests.push(request);
    answer(request, response);
  });
  listener.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;
  return {
    server: `https://127.0.0.1:${port}`,
    caPem: authority.certificatePem,
    requests,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        listener.close(resolve);
      });
    },
  };
}

export function poolFor(hostile: Pick<Hostile, 'server' | 'caPem'>, more: Partial<Parameters<typeof createPool>[0]> = {}): Pool {
  return createPool({
    name: 'hostile',
    server: hostile.server,
    caPem: hostile.caPem,
    certificate: null,
    userAgent: 'weir/test',
    connectLookup: null,
    clock: systemClock,
    ...more,
  });
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

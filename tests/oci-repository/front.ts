import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import { type LocalAuthority, localServerCertificate } from '#deploy/local/certificates.ts';
import type { RegistryServer } from '#deploy/local/registry.ts';

export type Seen = Readonly<{ method: string; path: string; authorization: string | undefined; isClientKnown: boolean }>;
/** Answers a request itself (true), or leaves it to the registry behind (false). */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A TLS front before a real registry: it records what is asked, can answer in its place, and logs in at the registry behind by itself when told to. */
export type Front = Readonly<{
  host: string;
  seen: Seen[];
  /** From here on; what was seen before is forgotten. */
  handle(handler: Handler): void;
  close(): Promise<void>;
}>;

export async function startFront(
  authority: LocalAuthority,
  behind: RegistryServer,
  options: Readonly<{ logsIn?: boolean; wantsClient?: boolean }> = {},
): Promise<Front> {
  const { certificatePem, keyPem } = await localServerCertificate(authority, 'front');
  const seen: Seen[] = [];
  let handler: Handler = () => false;
  const basic = `Basic ${Buffer.from(`${behind.username}:${behind.password}`).toString('base64')}`;
  const tls = { cert: certificatePem, key: keyPem, ca: authority.certificatePem };
  const server = createServer(
    { ...tls, requestCert: options.wantsClient === true, rejectUnauthorized: options.wantsClient === true },
    (request, response) => {
      const isClientKnown = 'authorized' in request.socket && request.socket.authorized === true;
      const { method = '', url = '' } = request;
      seen.push({ method, path: url, authorization: request.headers.authorization, isClientKnown });
      if (handler(request, response)) return;
      const headers = { ...request.headers, host: behind.host, ...(options.logsIn === true ? { authorization: basic } : {}) };
      const forwarded = httpsRequest(`${behind.url}${url}`, { method, headers, ca: authority.certificatePem }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      forwarded.once('error', () => response.destroy());
      request.pipe(forwarded);
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  return {
    host: `127.0.0.1:${address.port}`,
    seen,
    handle: (next) => {
      handler = next;
      seen.length = 0;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => void server.close(() => done()));
    },
  };
}

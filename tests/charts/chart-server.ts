import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { createAuthority, issueCertificate, type KeyAndCertificate } from '#adapters/x509/issue.ts';

export type ChartRequest = Readonly<{ path: string; authorization: string | undefined; client: string; status: number }>;
type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A chart repository over https: files with ETags, basic authentication and client certificates where asked for. */
export type ChartServer = Readonly<{
  url: string;
  host: string;
  files: Map<string, Buffer>;
  requests: ChartRequest[];
  /** `login` of everything below `/private/`; `intercept` answers instead of the files when it returns true. */
  rules: { login: string | null; clientRequired: boolean; intercept: Handler | null; noMarks: boolean };
  close(): Promise<void>;
}>;

export type ChartAuthority = Readonly<{ caPem: string; serverLeaf: KeyAndCertificate; clientLeaf: KeyAndCertificate }>;

const DAY_MS = 86_400_000;

export async function makeChartAuthority(): Promise<ChartAuthority> {
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'chart tests', validMs: DAY_MS, nowMs });
  const base = { validMs: DAY_MS, nowMs } as const;
  const names = { names: ['localhost'], addresses: ['127.0.0.1'] } as const;
  return {
    caPem: authority.certificatePem,
    serverLeaf: await issueCertificate(authority, { ...base, ...names, commonName: 'charts.test', usage: 'server' }),
    clientLeaf: await issueCertificate(authority, { ...base, commonName: 'reader', usage: 'client' }),
  };
}

export async function startChartServer({ caPem, serverLeaf }: ChartAuthority): Promise<ChartServer> {
  const files: ChartServer['files'] = new Map();
  const requests: ChartRequest[] = [];
  const rules: ChartServer['rules'] = { login: null, clientRequired: false, intercept: null, noMarks: false };
  const tls = { key: serverLeaf.keyPem, cert: serverLeaf.certificatePem, ca: caPem, requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, (request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
    const socket = request.socket as TLSSocket;
    const client = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : '';
    const { authorization } = request.headers;
    response.once('close', () => requests.push({ path: request.url ?? '', authorization, client, status: response.statusCode }));
    if (rules.intercept?.(request, response) === true) return;
    const expected = rules.login === null ? null : `Basic ${Buffer.from(rules.login).toString('base64')}`;
    if (path.startsWith('/private/') && expected !== null && authorization !== expected) return void response.writeHead(401).end('who?');
    if (rules.clientRequired && client === '') return void response.writeHead(403).end();
    const found = files.get(path);
    if (found === undefined) return void response.writeHead(404).end('nothing here');
    const etag = `"${createHash('sha256').update(found).digest('hex').slice(0, 16)}"`;
    if (!rules.noMarks && request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
    response.writeHead(200, rules.noMarks ? {} : { etag }).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const host = `localhost:${address.port}`;
  return {
    url: `https://${host}`,
    host,
    files,
    requests,
    rules,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

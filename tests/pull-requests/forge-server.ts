import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Forge } from '#core/pull-requests.ts';
import { type LocalAuthority, localServerCertificate } from '#deploy/local/certificates.ts';
import { bitbucket, gitea, github, gitlab } from './dialects.ts';
import type { Branches, Dialect, ForgeState } from './forge-state.ts';

export type Asked = Readonly<{ method: string; url: string; authorization: string; body: string }>;
type Takeover = (request: IncomingMessage, response: ServerResponse) => boolean;

/** One HTTPS server that speaks the four APIs, each below a prefix of its own. */
export type ForgeServer = Readonly<{
  host: string;
  apiUrl(forge: Forge): string;
  state: ForgeState;
  requests: Asked[];
  /** Answers in place of the API where it says true; null: nothing is taken over. */
  takeOver(handle: Takeover | null): void;
  stop(): Promise<void>;
}>;

const dialects: Readonly<Record<Forge, Dialect>> = { github, gitlab, gitea, bitbucket };
const prefixes: Readonly<Record<Forge, string>> = {
  github: '/github',
  gitlab: '/gitlab/api/v4',
  gitea: '/gitea/api/v1',
  bitbucket: '/bitbucket/2.0',
};
const fixed: Branches = { ahead: async () => true, commit: async () => 'a'.repeat(40) };

export const forgeToken = 'forge-token-canary-4f1b9e';

/** Every request must carry this token, as bearer or as the password of basic authentication; else 401. */
export async function startForge(authority: LocalAuthority, repository: string): Promise<ForgeServer> {
  const certificate = await localServerCertificate(authority, 'forge');
  const state: ForgeState = { repository, pulls: [], labels: [], branches: fixed };
  const requests: Asked[] = [];
  let handle: Takeover | null = null;
  const server = createServer({ cert: certificate.certificatePem, key: certificate.keyPem }, (request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks).toString('utf8');
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, authorization: headers.authorization ?? '', body });
    if (handle?.(request, response) === true) return;
    const send = (status: number, json: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    const basic = Buffer.from(`bot:${forgeToken}`).toString('base64');
    if (![`Bearer ${forgeToken}`, `Basic ${basic}`].includes(headers.authorization ?? '')) return send(401, { message: 'Bad credentials' });
    const { pathname, searchParams: query } = new URL(url, 'https://forge');
    for (const [forge, prefix] of Object.entries(prefixes)) {
      if (!pathname.startsWith(`${prefix}/`)) continue;
      const json = body === '' ? {} : JSON.parse(body);
      const reply = await dialects[forge as Forge]({ method, path: pathname.slice(prefix.length), query, json, state });
      return send(reply?.status ?? 404, reply?.json ?? { message: 'Not Found' });
    }
    send(404, { message: 'Not Found' });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const host = `127.0.0.1:${address.port}`;
  return {
    host,
    apiUrl: (forge) => `https://${host}${prefixes[forge]}`,
    state,
    requests,
    takeOver: (next) => {
      handle = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

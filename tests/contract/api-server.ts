import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll } from 'vitest';
import { openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { createAuthority, issueCertificate } from '#adapters/x509/issue.ts';
import { AppError } from '#core/errors.ts';
import { noFailpoints } from '#core/failpoints.ts';
import { isObject, type Json, type JsonObject, parseJson, stringifyJson } from '#core/json.ts';
import type { Log } from '#core/log.ts';
import { silentLog } from '#core/log.ts';
import type { Role } from '#core/resource.ts';
import type { Principal } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { buildApp } from '#services/api/app.ts';
import { type ApiDeps, type ApiLimits, defaultLimits } from '#services/api/deps.ts';
import { openChangeFeed } from '#services/api/read/change-feed.ts';
import { type Plane, usePlane } from '#tests/postgres/plane.ts';

export const ISSUER = 'https://issuer.test';
const day = 86_400_000;

export type Reply = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
  body: JsonObject;
}>;
export type Ask = Readonly<{ method?: string; as?: string; body?: Json | string | Buffer; headers?: Readonly<Record<string, string>> }>;

export type ApiServer = {
  url: string;
  caPem: string;
  plane: Plane;
  deps: ApiDeps;
  logged: string[];
  /** A request as the person `as` (default `root`, a platform admin). A token is the person's name. */
  ask(path: string, options?: Ask): Promise<Reply>;
  /** A tenant made through the API, with members by role, and its namespace of the same name. */
  newTenant(name: string, members?: Readonly<Record<string, Role>>): Promise<void>;
  /** Objects of a watch as they arrive. */
  watch(path: string, options?: Ask): Promise<Watch>;
};

export type Watch = Readonly<{ status: number; next(timeoutMs?: number): Promise<JsonObject | null>; close(): void; contentType: string }>;

/** The real API over TLS on a database of the file's own. Only who a token belongs to is the test's: authentication has tests of its own. */
export function useApi(options: Readonly<{ limits?: Partial<ApiLimits>; maxConnections?: number }> = {}): ApiServer {
  const plane = usePlane({ maxConnections: options.maxConnections ?? 8 });
  const server: ApiServer = Object.assign(Object.create(null), { plane, logged: [] });
  const stops: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const authority = await createAuthority({ commonName: 'test', validMs: day, nowMs: Date.now() });
    const tls = await issueCertificate(authority, {
      commonName: 'weir',
      usage: 'server',
      names: ['localhost'],
      addresses: ['127.0.0.1'],
      validMs: day,
      nowMs: Date.now(),
    });
    const keyDir = await mkdtemp(join(tmpdir(), 'weir-keys-'));
    const keys = openKeyRing(await openKeyFile(join(keyDir, 'kek')), () => Date.now());
    const closing = new AbortController();
    const changes = await openChangeFeed(plane.db);
    const log = recordingLog(server.logged);
    const limits = { ...defaultLimits, ...options.limits };
    const authenticate = authenticateFor(plane);
    server.deps = {
      db: plane.db,
      keys,
      clock: systemClock,
      log,
      failpoints: noFailpoints,
      authenticate,
      limits,
      changes,
      closing: closing.signal,
      oidcIssuer: ISSUER,
      publicUrl: 'https://127.0.0.1',
      continueKey: randomBytes(32),
    };
    const app = buildApp(server.deps, { tls: { certificatePem: tls.certificatePem, keyPem: tls.keyPem } });
    await app.listen({ host: '127.0.0.1', port: 0 });
    server.url = `https://127.0.0.1:${portOf(app.server.address())}`;
    server.caPem = authority.certificatePem;
    const agent = new Agent({ connect: { ca: authority.certificatePem }, allowH2: false });
    Object.assign(server, clientOf(server, agent));
    stops.push(
      () => rm(keyDir, { recursive: true }),
      () => changes.close(),
      async () => app.close(),
      () => agent.destroy(),
      async () => closing.abort(),
    );
  });
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  return server;
}

function portOf(address: string | AddressInfo | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen');
}

/** A token is the name of a person; `root` administers the platform. Rights are read from the directory as in production. */
function authenticateFor(plane: Plane): ApiDeps['authenticate'] {
  return async (headers) => {
    const name = /^Bearer ([a-z0-9-]{1,40})$/.exec(headers.authorization ?? '')?.[1];
    if (name === undefined) throw new AppError('unauthorized', 'Unauthorized');
    const memberships = await plane.db.directory.membershipsOf({ issuer: ISSUER, subject: name, groups: [] });
    const principal: Principal = {
      issuer: ISSUER,
      subject: name,
      name: `${name}@test`,
      via: 'oidc',
      groups: [],
      platformAdmin: name === 'root',
      memberships,
      limits: null,
      expiresAtMs: Date.now() + day,
    };
    return principal;
  };
}

function clientOf(server: ApiServer, agent: Agent): Pick<ApiServer, 'ask' | 'newTenant' | 'watch'> {
  const ask = async (path: string, options: Ask = {}): Promise<Reply> => {
    const answer = await request(`${server.url}${path}`, { ...requestOf(options), dispatcher: agent });
    const text = await answer.body.text();
    const isJson =
      String(answer.headers['content-type'] ?? '').startsWith('application/json') && answer.headers['content-encoding'] === undefined;
    const parsed = isJson && text !== '' ? parseJson(text) : {};
    return { status: answer.statusCode, headers: answer.headers, text, body: isObject(parsed) ? parsed : {} };
  };
  return {
    ask,
    async newTenant(name, members = {}) {
      const people = Object.entries(members).map(([subject, role]) => ({ subject, role }));
      const tenant = {
        apiVersion: 'weir.dev/v1',
        kind: 'Tenant',
        metadata: { name },
        spec: { namespaces: { names: [name], prefixes: [`${name}-`] }, members: [...people, { subject: `${name}-owner`, role: 'admin' }] },
      };
      const made = await ask('/apis/weir.dev/v1/tenants', { method: 'POST', body: tenant });
      if (made.status !== 201) throw new Error(`tenant: ${made.status} ${made.text}`);
      const namespace = await ask('/api/v1/namespaces', {
        method: 'POST',
        as: `${name}-owner`,
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      });
      if (namespace.status !== 201) throw new Error(`namespace: ${namespace.status} ${namespace.text}`);
    },
    async watch(path, options = {}) {
      const answer = await request(`${server.url}${path}`, { ...requestOf(options), dispatcher: agent });
      return watchOf(answer);
    },
  };
}

type Answer = Awaited<ReturnType<typeof request>>;

function watchOf(answer: Answer): Watch {
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  let rest = '';
  let ended = false;
  const wake = (): void => waiting.splice(0).forEach((resume) => resume());
  answer.body.setEncoding('utf8');
  answer.body.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.filter((line) => line !== ''));
    wake();
  });
  const end = (): void => {
    ended = true;
    wake();
  };
  answer.body.on('end', end).on('error', end).on('close', end);
  return {
    status: answer.statusCode,
    contentType: String(answer.headers['content-type']),
    close: () => answer.body.destroy(),
    async next(timeoutMs = 5_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const line = lines.shift();
        if (line !== undefined) {
          const parsed = parseJson(line);
          return isObject(parsed) ? parsed : {};
        }
        if (ended || Date.now() >= deadline) return null;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, deadline - Date.now());
          waiting.push(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
    },
  };
}

function requestOf({ method = 'GET', as = 'root', body, headers = {} }: Ask): {
  method: 'GET';
  headers: Record<string, string>;
  body?: string | Buffer;
} {
  const typed = body === undefined ? {} : { 'content-type': 'application/json' };
  const all = { ...(as === '' ? {} : { authorization: `Bearer ${as}` }), ...typed, ...headers };
  const content = body === undefined ? {} : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : stringifyJson(body) };
  return { method: method as 'GET', headers: all, ...content };
}

/** Keeps errors for `expect(server.logged)`: a 500 in a test says why. */
function recordingLog(lines: string[]): Log {
  return {
    ...silentLog,
    error: (facts, message) =>
      void lines.push(`${message} ${String(facts.error instanceof Error ? facts.error.stack : JSON.stringify(facts))}`),
    child: () => recordingLog(lines),
  };
}

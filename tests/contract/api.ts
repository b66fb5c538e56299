import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll } from 'vitest';
import { createLog } from '#adapters/log/pino-log.ts';
import { type KeyRing, openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { readConfig } from '#core/config.ts';
import { noFailpoints } from '#core/failpoints.ts';
import { isObject, type Json, type JsonObject, parseJson, stringifyJson } from '#core/json.ts';
import { type Clock, systemClock } from '#core/time.ts';
import { localServerCertificate, openLocalAuthority } from '#deploy/local/certificates.ts';
import { type OidcServer, startOidcServer } from '#deploy/local/oidc.ts';
import { openApi } from '#services/api/open.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type Plane, usePlane } from '#tests/postgres/plane.ts';

export const platformGroup = 'platform';
export const people = ['viewer', 'editor', 'admin', 'stranger', 'platform', 'nobody'] as const;
export type Person = (typeof people)[number];

export type Reply = Readonly<{
  status: number;
  text: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  json: JsonObject;
}>;
export type Ask = Readonly<{
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: Json | Uint8Array | string;
  headers?: Readonly<Record<string, string>>;
  token?: string | null;
  /** A watch stays open: only its status counts. */
  headersOnly?: boolean;
}>;

/** The API over TLS with a real database and a real identity provider, and people of two tenants. */
export type Api = {
  plane: Plane;
  oidc: OidcServer;
  keys: KeyRing;
  url: string;
  /** Every line that the process logged. */
  logged(): string;
  clock: Clock & { advance(ms: number): void };
  tokenOf(person: Person): string;
  /** One request. `as` names a person; null sends no token. */
  ask(as: Person | null, path: string, what?: Ask): Promise<Reply>;
  /** As `ask`, and throws unless the answer is 2xx. */
  must(as: Person | null, path: string, what?: Ask): Promise<JsonObject>;
};

/** viewer, editor and admin are members of tenant `acme` (namespaces `acme`, `acme-prod`); stranger is admin of `other` (namespace `other`). */
export function useApi(): Api {
  const plane = usePlane({ maxConnections: 8 });
  const dir = useTemporaryDir('file');
  const api: Api = Object.assign(Object.create(null), { plane });
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const authority = await openLocalAuthority(dir(), 'test authority');
    api.oidc = await startOidcServer({ authority, users: people.map(userOf) });
    closing.push(() => api.oidc.stop());
    api.keys = openKeyRing(await openKeyFile(join(dir(), 'kek')), () => api.clock.nowMs());
    api.clock = movableClock();
    const lines: string[] = [];
    api.logged = () => lines.join('');
    const config = readConfig({ WEIR_EGRESS_ALLOW: '127.0.0.0/8' });
    const open = await openApi({
      config,
      db: plane.db,
      keys: api.keys,
      clock: api.clock,
      log: createLog({ level: 'debug', bindings: {}, destination: { write: (line: string) => void lines.push(line) } }),
      failpoints: noFailpoints,
      identity: {
        issuer: api.oidc.issuer,
        clientId: api.oidc.clientId,
        scopes: ['openid'],
        caPem: authority.certificatePem,
        platformAdminGroup: platformGroup,
        demo: true,
      },
      tls: await localServerCertificate(authority, 'weir'),
      serverCaPem: authority.certificatePem,
      publicUrl: 'https://weir.test',
      secret: 'a-secret-of-thirty-two-characters',
      checks: [],
      // These tests have no workload clusters: nothing is placed anywhere.
      preview: async () => [],
    });
    closing.push(() => open.close());
    api.url = await open.app.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ connect: { ca: authority.certificatePem } });
    closing.push(() => agent.destroy());
    const tokens = new Map<Person, string>();
    for (const person of people) tokens.set(person, (await api.oidc.loginAs(person)).id_token);
    api.tokenOf = (person) => tokens.get(person) ?? '';
    api.ask = (as, path, what = {}) => send(agent, api, as, path, what);
    api.must = async (as, path, what = {}) => {
      const reply = await api.ask(as, path, what);
      if (reply.status < 200 || reply.status > 299) throw new Error(`${what.method ?? 'GET'} ${path}: ${reply.status} ${reply.text}`);
      return reply.json;
    };
    await seedTenants(api);
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });
  return api;
}

function userOf(id: Person): Readonly<{ id: string; name: string; email: string; groups: readonly string[] }> {
  return { id, name: id, email: `${id}@acme.test`, groups: id === 'platform' ? [platformGroup] : id === 'editor' ? ['acme-editors'] : [] };
}

function movableClock(): Clock & { advance(ms: number): void } {
  let offsetMs = 0;
  return { nowMs: () => systemClock.nowMs() + offsetMs, random: () => systemClock.random(), advance: (ms) => void (offsetMs += ms) };
}

async function send(agent: Agent, api: Api, as: Person | null, path: string, what: Ask): Promise<Reply> {
  const { method = 'GET', body, headers = {} } = what;
  const token = what.token === undefined ? (as === null ? null : api.tokenOf(as)) : what.token;
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await request(`${api.url}${path}`, {
    dispatcher: agent,
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': contentType }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: body instanceof Uint8Array || typeof body === 'string' ? body : stringifyJson(body) }),
  });
  if (what.headersOnly === true && answer.statusCode === 200) {
    answer.body.on('error', () => undefined).destroy();
    return { status: 200, text: '', headers: answer.headers, json: {} };
  }
  const text = await answer.body.text();
  return { status: answer.statusCode, text, headers: answer.headers, json: parsed(text) };
}

function parsed(text: string): JsonObject {
  try {
    const value = parseJson(text);
    return isObject(value) ? value : {};
  } catch {
    // Watches and plain answers are no single JSON document.
    return {};
  }
}

async function seedTenants(api: Api): Promise<void> {
  const tenant = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'weir.dev/v1',
    kind: 'Tenant',
    metadata: { name },
    spec: { namespaces: { names: [name], prefixes: [`${name}-`] }, ...spec },
  });
  const members = [
    { subject: 'viewer', role: 'viewer' },
    { subject: 'admin', role: 'admin' },
  ];
  await api.must('platform', '/apis/weir.dev/v1/tenants', {
    method: 'POST',
    body: tenant('acme', { members, groups: [{ oidcGroup: 'acme-editors', role: 'editor' }] }),
  });
  await api.must('platform', '/apis/weir.dev/v1/tenants', {
    method: 'POST',
    body: tenant('other', { members: [{ subject: 'stranger', role: 'admin' }] }),
  });
  const namespace = (name: string): JsonObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const name of ['acme', 'acme-prod']) await api.must('admin', '/api/v1/namespaces', { method: 'POST', body: namespace(name) });
  await api.must('stranger', '/api/v1/namespaces', { method: 'POST', body: namespace('other') });
}

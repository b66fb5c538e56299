import type { Agent } from 'node:https';
import { isObject, type Json, type JsonObject, parseJson, stringifyJson, textAt } from '#core/json.ts';
import { loginNeeded, unanswered } from '#services/cli/failure.ts';
import { linesOf } from '#services/cli/http/lines.ts';
import { send, start } from '#services/cli/http/send.ts';
import { claimsOf } from '#services/cli/login/claims.ts';
import { statusFailure } from '#services/cli/plane/status-failure.ts';
import { version } from '#services/cli/version.ts';

const timeoutMs = 30_000;
const maxBytes = 64 * 1024 * 1024;
const maxLineBytes = 8 * 1024 * 1024;

export type PatchType = 'application/merge-patch+json' | 'application/json-patch+json';
export type PlaneCall = Readonly<{
  method: string;
  path: string;
  query?: Readonly<Record<string, string>>;
  body?: Json;
  contentType?: PatchType;
  accept?: string;
  timeoutMs?: number;
}>;
export type WatchEvent = Readonly<{ type: string; object: JsonObject }>;

/** The plane's API as the signed-in user. Never holds a token: `token` gives a fresh one for each request. */
export type Plane = Readonly<{
  /** Without a trailing slash. */
  server: string;
  caPem: string | null;
  /** Namespace that commands take when none is named. */
  namespace: string | null;
  /** The answer's object. Throws CliFailure for a failed answer and without one. */
  call(call: PlaneCall): Promise<JsonObject>;
  /** What the token in use says of its owner, not verified; null for a token that says nothing. */
  claims(): Promise<JsonObject | null>;
  /** Warnings of the answers since the last call of this, for people. */
  takeWarnings(): readonly string[];
  /** Events as they come, until the server ends the answer or the signal aborts. */
  watch(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): AsyncGenerator<WatchEvent>;
  close(): void;
}>;

export type PlaneAccess = Readonly<{
  server: string;
  caPem: string | null;
  namespace: string | null;
  agent: Agent;
  token: (() => Promise<string>) | null;
  signal: AbortSignal;
}>;

export function openPlane(access: PlaneAccess): Plane {
  const warnings: string[] = [];
  const headersOf = async (accept: string): Promise<Record<string, string>> => {
    const token = access.token === null ? null : await access.token();
    return { accept, 'user-agent': `weir-cli/${version}`, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  };
  const call = async (one: PlaneCall): Promise<JsonObject> => {
    const headers = await headersOf(one.accept ?? 'application/json');
    if (one.body !== undefined) headers['content-type'] = one.contentType ?? 'application/json';
    const answer = await send({
      agent: access.agent,
      url: urlOf(access.server, one.path, one.query),
      method: one.method,
      headers,
      ...(one.body === undefined ? {} : { body: stringifyJson(one.body) }),
      signal: access.signal,
      timeoutMs: one.timeoutMs ?? timeoutMs,
      maxBytes,
    });
    warnings.push(...warningsOf(answer.headers['warning']));
    return bodyOf(access.server, answer.status, answer.text);
  };
  return Object.freeze({
    server: access.server,
    caPem: access.caPem,
    namespace: access.namespace,
    call,
    claims: async () => (access.token === null ? null : claimsOf(await access.token())),
    takeWarnings: () => warnings.splice(0),
    watch: (path: string, query: Readonly<Record<string, string>>, signal: AbortSignal) =>
      watchEvents(access, headersOf, urlOf(access.server, path, { ...query, watch: 'true' }), signal),
    close: () => access.agent.destroy(),
  });
}

async function* watchEvents(
  access: PlaneAccess,
  headersOf: (accept: string) => Promise<Record<string, string>>,
  url: URL,
  until: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const signal = AbortSignal.any([access.signal, until]);
  try {
    const incoming = await start({ agent: access.agent, url, method: 'GET', headers: await headersOf('application/json') }, signal);
    if (incoming.statusCode !== 200) {
      let text = '';
      for await (const line of linesOf(incoming, maxLineBytes)) text += line;
      bodyOf(access.server, incoming.statusCode ?? 0, text);
      return;
    }
    for await (const line of linesOf(incoming, maxLineBytes)) {
      const event = parseJson(line);
      if (!isObject(event) || !isObject(event['object'])) throw unanswered(`${access.server} sent a watch event that is none`);
      yield { type: textAt(event, 'type') ?? '', object: event['object'] };
    }
  } catch (error) {
    // Who stopped the watch knows why; a cut stream ends it like a planned end: the caller looks again.
    if (until.aborted) return;
    if (!isCut(error)) throw error;
  }
}

function isCut(error: unknown): boolean {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function urlOf(server: string, path: string, query: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(`${server}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

function bodyOf(server: string, status: number, text: string): JsonObject {
  const body = parseObject(text);
  if (status >= 200 && status < 300 && body !== null) return body;
  if (status === 401) throw loginNeeded(`${server} does not accept this login (any more): run \`weir login\``);
  if (body !== null && textAt(body, 'kind') === 'Status') throw statusFailure(body);
  throw unanswered(`${server} answered ${status} without a Kubernetes object: it may be no Weir`);
}

function parseObject(text: string): JsonObject | null {
  try {
    const body = parseJson(text);
    return isObject(body) ? body : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Texts of `299 - "…"` headers; node joins several with a comma. */
function warningsOf(header: string | string[] | undefined): readonly string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted]) => (quoted ?? '').replaceAll(/\\(.)/g, '$1'));
}

import { randomUUID } from 'node:crypto';
import type { Principal } from '#core/tenant.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import type { Answer, Body, Call, SignedInCall } from '#services/api/wire/call.ts';
import { bodyFormat } from '#services/api/wire/content-type.ts';
import { type Grant, grantOf } from '#services/api/wire/grant.ts';
import type { Reply, Request } from '#services/api/wire/http.ts';
import { parseQuery } from '#services/api/wire/query.ts';
import { readBody } from '#services/api/wire/read-body.ts';
import type { PublicRoute, ResourceRoute, Route } from '#services/api/wire/route.ts';

/** A request that passed identity, rights, size and content type, in the order of kube-api.md 2.4; `run` is its handler. */
export type Admitted = Readonly<{ call: Call; run: () => Promise<Answer> }>;

/** All checks before a body is decoded; `known` hears who asks as soon as that is clear. Throws AppError in the order of kube-api.md 2.4. */
export async function admit(
  deps: ApiDeps,
  route: Route,
  request: Request,
  reply: Reply,
  known: (principal: Principal) => void,
): Promise<Admitted> {
  const early = earlyCall(request, reply);
  if (isPublic(route)) {
    const call: Call = { ...early, body: await bodyOf(deps, route, request) };
    return { call, run: () => route.handler(call) };
  }
  const principal = await deps.authenticate(request.headers);
  known(principal);
  if (isResource(route)) {
    const grant = await decideRoute(deps, route, principal, early);
    const call: SignedInCall = { ...early, principal, body: await bodyOf(deps, route, request) };
    return { call, run: () => route.handler(call, grant) };
  }
  const call: SignedInCall = { ...early, principal, body: await bodyOf(deps, route, request) };
  return { call, run: () => route.handler(call) };
}

function isPublic(route: Route): route is PublicRoute {
  return route.permission.is === 'public';
}

function isResource(route: Route): route is ResourceRoute {
  return route.permission.is === 'resource';
}

async function decideRoute(deps: ApiDeps, route: ResourceRoute, principal: Principal, call: Call): Promise<Grant> {
  const { resource, subresource, verb } = route.permission;
  const { namespace = '', name } = call.params;
  return grantOf(deps.db.directory, principal, {
    resource,
    verb: typeof verb === 'string' ? verb : verb(call),
    namespace,
    name: name ?? null,
    ...(subresource === undefined ? {} : { subresource }),
  });
}

function earlyCall(request: Request, reply: Reply): Call {
  const { url, method } = request;
  const path = url.split('?', 1)[0] ?? url;
  return {
    method,
    path,
    params: paramsOf(request.params),
    query: parseQuery(url),
    headers: { ...request.headers },
    body: null,
    auditId: auditIdOf(reply),
    signal: goneSignal(reply),
  };
}

/** Set on the answer by the first hook, so that errors carry it too. */
export function auditIdOf(reply: Reply): string {
  const known = reply.getHeader('audit-id');
  if (typeof known === 'string') return known;
  const fresh = randomUUID();
  void reply.header('audit-id', fresh);
  return fresh;
}

export function paramsOf(params: unknown): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  if (typeof params !== 'object' || params === null) return texts;
  for (const [name, value] of Object.entries(params)) if (typeof value === 'string') texts[name] = value;
  return texts;
}

/** Aborts when the answer was cut; an answer that ended well does not abort. */
function goneSignal(reply: Reply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  return gone.signal;
}

async function bodyOf(deps: ApiDeps, route: Route, request: Request): Promise<Body | null> {
  if (route.method === 'GET') return null;
  const maxBytes = route.maxBodyBytes ?? deps.limits.maxBodyBytes;
  const declared = request.headers['content-length'];
  if (route.body === 'any') return { format: 'json', bytes: await readBody(request.raw, declared, maxBytes) };
  // Size before type (kube-api.md 2.4): a declared length is known before the type is looked at.
  const isTooLong = declared !== undefined && Number(declared) > maxBytes;
  const format = isTooLong ? 'json' : bodyFormat(route.method, request.headers['content-type']);
  const bytes = await readBody(request.raw, declared, maxBytes);
  return bytes.byteLength === 0 || format === null ? null : { format, bytes };
}

import Fastify from 'fastify';
import { AppError } from '#core/errors.ts';
import type { Principal } from '#core/tenant.ts';
import { principalKey } from '#services/api/auth/principal-key.ts';
import type { ApiDeps, ServerTls } from '#services/api/deps.ts';
import { credentialRoutes } from '#services/api/routes/credentials/credential-routes.ts';
import { hookRoutes } from '#services/api/routes/hook/hook-routes.ts';
import { metaRoutes } from '#services/api/routes/meta-routes.ts';
import { objectRoutes } from '#services/api/routes/object-routes.ts';
import { serviceAccountTokenRoutes } from '#services/api/routes/token/token-routes.ts';
import type { App, Reply, Request } from '#services/api/wire/http.ts';
import { checkRoutes, type Route } from '#services/api/wire/route.ts';
import { sendAnswer } from '#services/api/wire/send.ts';
import { type Admitted, admit, auditIdOf, paramsOf } from '#services/api/wire/serve.ts';
import { failureOf, methodNotAllowed, pathNotFound } from '#services/api/wire/status.ts';

/** kube-apiserver's default for streams of one HTTP/2 connection is 100; each watch holds one. */
const maxConcurrentStreams = 250;

export type AppOptions = Readonly<{
  tls: ServerTls /** Routes that need more than the API's own parts: health checks, login information, reviews. */;
  extraRoutes?: readonly Route[];
}>;

/**
 * The API over TLS, HTTP/1.1 and HTTP/2 on one port. Does not listen yet. Throws when a route declares no permission.
 * fastify's own parsing, validation and serialization are not used: they coerce, drop and default (libraries.md section 3).
 */
export function buildApp(deps: ApiDeps, options: AppOptions): App {
  const routes = [
    ...metaRoutes(deps),
    ...objectRoutes(deps),
    ...credentialRoutes(deps),
    ...hookRoutes(deps),
    ...serviceAccountTokenRoutes(deps),
    ...(options.extraRoutes ?? []),
  ];
  checkRoutes(routes);
  const app = newServer(deps, options.tls);
  app.removeAllContentTypeParsers();
  // The admitting hook has read the body; the parser only has to accept whatever content type passed it.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  // By now the body was read and its type judged, or the path is unknown; fastify would answer 500 for a type that it cannot parse.
  app.addHook('preParsing', async (request) => {
    delete request.raw.headers['content-type'];
  });
  const callers = new WeakMap<Request, Principal>();
  app.setErrorHandler(async (error, request, reply) => fail(deps, request, reply, error, callers.get(request)));
  app.setNotFoundHandler(async (request, reply) => answerUnknownPath(deps, routes, request, reply));
  const admitted = new WeakMap<Request, Admitted>();
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.url,
      exposeHeadRoute: false,
      onRequest: async (request, reply) => {
        auditIdOf(reply);
        admitted.set(request, await admit(deps, route, request, reply, (principal) => callers.set(request, principal)));
      },
      handler: async (request, reply) => {
        const ready = admitted.get(request);
        if (ready === undefined) throw new Error('a handler ran before its request was admitted');
        return sendAnswer(deps, request, reply, await ready.run());
      },
    });
  }
  return app;
}

function newServer(deps: ApiDeps, { certificatePem, keyPem }: ServerTls): App {
  return Fastify({
    http2: true,
    https: { allowHTTP1: true, cert: certificatePem, key: keyPem, minVersion: 'TLSv1.2', settings: { maxConcurrentStreams } },
    logger: false,
    exposeHeadRoutes: false,
    // A URL that cannot be decoded never reaches a route.
    frameworkErrors: (_error, request, reply) => {
      void fail(deps, request, reply, new AppError('badRequest', 'the URL of the request cannot be read'));
    },
    forceCloseConnections: true,
    // A Kubernetes name has at most 253 characters; a hook digest 64.
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: false, caseSensitive: true },
  });
}

async function fail(deps: ApiDeps, request: Request, reply: Reply, error: unknown, caller?: Principal): Promise<Reply> {
  const auditId = auditIdOf(reply);
  const failure = failureOf(error, auditId);
  const facts = { auditId, ...factsOf(request), ...(caller === undefined ? {} : { actor: principalKey(caller) }) };
  if (failure.code === 500) deps.log.error({ error, ...facts }, 'a request failed by a bug of ours');
  else if (failure.code === 403 || (failure.code < 500 && failure.code !== 409 && request.method !== 'GET'))
    deps.log.info({ ...facts, code: failure.code, reason: failure.status['reason'] ?? null }, 'a request was refused');
  return sendAnswer(deps, request, reply, { is: 'json', status: failure.code, value: failure.status, headers: failure.headers });
}

/** What was asked, by its route and the object's place: a whole path may be a secret, as that of a webhook is. */
function factsOf(request: Request): Readonly<Record<string, string>> {
  const { namespace, name } = paramsOf(request.params);
  return {
    method: request.method,
    route: request.routeOptions.url ?? '(none)',
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Identity comes before existence, also for paths (kube-api.md 2.4). */
async function answerUnknownPath(deps: ApiDeps, routes: readonly Route[], request: Request, reply: Reply): Promise<Reply> {
  auditIdOf(reply);
  await deps.authenticate(request.headers);
  const path = request.url.split('?', 1)[0] ?? '';
  throw routes.some((route) => matches(route.url, path)) ? methodNotAllowed() : pathNotFound();
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const found = path.split('/');
  return wanted.length === found.length && wanted.every((part, index) => part.startsWith(':') || part === found[index]);
}

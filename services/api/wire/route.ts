import type { Resource, Subresource, Verb } from '#core/resource.ts';
import type { Answer, Call, SignedInCall } from '#services/api/wire/call.ts';
import type { Grant } from '#services/api/wire/grant.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type Common = Readonly<{
  method: Method;
  /** Path in fastify's form; `:namespace` and `:name` are the object's. */
  url: string;
  /** Word for the audit log and the metrics. */
  audit: string;
  /** Largest body in bytes; default: the API's. */
  maxBodyBytes?: number;
  /** `any`: the content type is the handler's affair (webhooks). Default `object`: the closed list of kube-api.md 2.2. */
  body?: 'object' | 'any';
}>;

/** Nobody has to be signed in. `because` is reviewed: these routes are the allow-list of threats E5. */
export type PublicRoute = Common &
  Readonly<{ permission: Readonly<{ is: 'public'; because: string }>; handler: (call: Call) => Promise<Answer> }>;

/** Any valid token. What the answer holds does not depend on roles, or the handler decides item by item. */
export type SignedInRoute = Common &
  Readonly<{ permission: Readonly<{ is: 'signedIn'; because: string }>; handler: (call: SignedInCall) => Promise<Answer> }>;

/** The verb on the resource, decided before the handler runs and before anything is looked up. */
export type ResourceRoute = Common &
  Readonly<{
    permission: Readonly<{ is: 'resource'; resource: Resource; subresource?: Subresource; verb: Verb | ((call: Call) => Verb) }>;
    handler: (call: SignedInCall, grant: Grant) => Promise<Answer>;
  }>;

export type Route = PublicRoute | SignedInRoute | ResourceRoute;

/** Refuses a table with a route that says nothing about its permission, or two for the same method and path: the server does not start then. */
export function checkRoutes(routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const route of routes) {
    const key = `${route.method} ${route.url}`;
    if (seen.has(key)) throw new Error(`route ${key} stands twice`);
    seen.add(key);
    // The types say so already; a table that was built from data could still lack one.
    const permission: unknown = Reflect.get(route, 'permission');
    if (typeof permission !== 'object' || permission === null) throw new Error(`route ${key} declares no permission`);
    if (route.audit === '') throw new Error(`route ${key} has no audit word`);
    if (route.permission.is !== 'resource' && route.permission.because === '')
      throw new Error(`route ${key} does not say why it needs no role`);
  }
}

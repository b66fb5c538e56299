import { createHash } from 'node:crypto';
import { type JsonObject, stringifyJson } from '#core/json.ts';
import { resources } from '#kinds/registry.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { openApiRoutes } from '#services/api/routes/meta/open-api.ts';
import { versionRoutes } from '#services/api/routes/meta/version.ts';
import { contentTypeOf, negotiate } from '#services/api/wire/accept.ts';
import type { Answer, Call } from '#services/api/wire/call.ts';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  groupsOf,
  type Served,
  type Virtual,
} from '#services/api/wire/discovery.ts';
import type { Route, SignedInRoute } from '#services/api/wire/route.ts';

const sameForAll = 'discovery does not depend on roles (kube-api.md 3.2)';

const reviews: readonly Virtual[] = [
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    singular: 'selfsubjectreview',
    scope: 'Cluster',
    verbs: ['create'],
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    singular: 'selfsubjectaccessreview',
    scope: 'Cluster',
    verbs: ['create'],
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectRulesReview',
    plural: 'selfsubjectrulesreviews',
    singular: 'selfsubjectrulesreview',
    scope: 'Cluster',
    verbs: ['create'],
  },
];

/** Version, health, discovery and OpenAPI: what clients ask before anything else. */
export function metaRoutes(deps: ApiDeps): readonly Route[] {
  const served: Served = { resources, virtual: reviews };
  return [...versionRoutes(), ...discoveryRoutes(deps, served), ...openApiRoutes(served)];
}

function discoveryRoutes(deps: ApiDeps, served: Served): readonly SignedInRoute[] {
  const host = new URL(deps.publicUrl).host;
  const groups = [...groupsOf(served)];
  return [
    get('/api', (call) =>
      eitherForm(
        call,
        () => aggregatedDiscovery(served, 'core'),
        () => apiVersions(host),
      ),
    ),
    get('/apis', (call) =>
      eitherForm(
        call,
        () => aggregatedDiscovery(served, 'groups'),
        () => apiGroupList(served),
      ),
    ),
    get('/api/v1', (call) => plain(call, apiResourceList(served, '', 'v1'))),
    ...groups.map(([group]) => get(`/apis/${group}`, (call) => plain(call, apiGroup(served, group)))),
    ...groups.flatMap(([group, versions]) =>
      versions.map((version) => get(`/apis/${group}/${version}`, (call) => plain(call, apiResourceList(served, group, version)))),
    ),
  ];
}

function get(url: string, answer: (call: Call) => Answer): SignedInRoute {
  return {
    method: 'GET',
    url,
    audit: 'discovery',
    permission: { is: 'signedIn', because: sameForAll },
    handler: async (call) => answer(call),
  };
}

function eitherForm(call: Call, aggregated: () => JsonObject, legacy: () => JsonObject): Answer {
  const view = negotiate(call.headers.accept, 'discovery');
  const value = view.as === 'aggregated-discovery' ? aggregated() : legacy();
  return tagged(call, value, contentTypeOf(view), view.format);
}

function plain(call: Call, value: JsonObject): Answer {
  const view = negotiate(call.headers.accept, 'plain');
  return tagged(call, value, contentTypeOf(view), view.format);
}

function tagged(call: Call, value: JsonObject, contentType: string, format: 'json' | 'yaml'): Answer {
  const etag = `"${createHash('sha256').update(stringifyJson(value)).digest('hex').toUpperCase()}"`;
  const headers = { etag, vary: 'Accept' };
  if (call.headers['if-none-match'] === etag) return { is: 'text', status: 304, text: '', contentType, headers };
  return { is: 'json', status: 200, value, contentType, format, headers };
}

import { apiVersionOf, type Resource, type Verb } from '#core/resource.ts';
import { resources } from '#kinds/registry.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { isWatch } from '#services/api/read/list-options.ts';
import { createHandler } from '#services/api/routes/objects/create.ts';
import { deleteHandler } from '#services/api/routes/objects/delete.ts';
import { deleteCollectionHandler } from '#services/api/routes/objects/delete-collection.ts';
import { getHandler } from '#services/api/routes/objects/get.ts';
import { listHandler } from '#services/api/routes/objects/list.ts';
import { patchHandler } from '#services/api/routes/objects/patch.ts';
import { updateHandler } from '#services/api/routes/objects/update.ts';
import { watchHandler } from '#services/api/routes/objects/watch.ts';
import { openSchemas, type Schemas } from '#services/api/validate/compile.ts';
import type { Call } from '#services/api/wire/call.ts';
import type { Method, ResourceRoute, Route, SignedInRoute } from '#services/api/wire/route.ts';
import { methodNotAllowed } from '#services/api/wire/status.ts';

/** Every path of every resource of the registry. A method that a kind does not have is answered 405, after identity and before rights. */
export function objectRoutes(deps: ApiDeps): readonly Route[] {
  const schemas = openSchemas();
  return resources.flatMap((resource) => routesOf(deps, schemas, resource));
}

export function collectionPath(resource: Pick<Resource, 'group' | 'version' | 'plural' | 'scope'>): string {
  return `${groupPath(resource)}${resource.scope === 'Namespaced' ? '/namespaces/:namespace' : ''}/${resource.plural}`;
}

export function groupPath(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
}

function routesOf(deps: ApiDeps, schemas: Schemas, resource: Resource): readonly Route[] {
  const collection = collectionPath(resource);
  const everywhere = `${groupPath(resource)}/${resource.plural}`;
  const list = listOrWatch(deps, resource);
  const routes = [
    ...pathRoutes(resource, collection, {
      GET: list,
      POST: { verb: 'create', handler: createHandler(deps, schemas, resource) },
      DELETE: { verb: 'deletecollection', handler: deleteCollectionHandler(deps, resource) },
    }),
    ...pathRoutes(resource, `${collection}/:name`, {
      GET: { verb: 'get', handler: getHandler(deps, resource) },
      PUT: { verb: 'update', handler: updateHandler(deps, schemas, resource) },
      PATCH: { verb: 'patch', handler: patchHandler(deps, schemas, resource) },
      DELETE: { verb: 'delete', handler: deleteHandler(deps, resource) },
    }),
    ...(everywhere === collection ? [] : pathRoutes(resource, everywhere, { GET: list })),
    ...statusRoutes(deps, resource, collection),
  ];
  return routes;
}

type Served = Readonly<{ verb: Verb | ((call: Call) => Verb); handler: ResourceRoute['handler'] }>;
const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

function pathRoutes(resource: Resource, url: string, served: Readonly<Partial<Record<Method, Served>>>): readonly Route[] {
  return methods.map((method) => {
    const found = served[method];
    const isServed = found !== undefined && (typeof found.verb !== 'string' || resource.verbs.includes(found.verb));
    if (!isServed) return refusedRoute(method, url);
    return {
      method,
      url,
      audit: typeof found.verb === 'string' ? found.verb : 'list',
      permission: { is: 'resource', resource, verb: found.verb },
      handler: found.handler,
    };
  });
}

function refusedRoute(method: Method, url: string): SignedInRoute {
  return {
    method,
    url,
    audit: 'refused',
    body: 'any',
    permission: { is: 'signedIn', because: 'the method is served for nobody' },
    handler: () => Promise.reject(methodNotAllowed()),
  };
}

function listOrWatch(deps: ApiDeps, resource: Resource): Served {
  const list = listHandler(deps, resource);
  const watch = watchHandler(deps, resource);
  return {
    verb: (call) => (isWatch(call.query) ? 'watch' : 'list'),
    handler: (call, grant) => (isWatch(call.query) ? watch(call, grant) : list(call, grant)),
  };
}

/** `/status` is read only: nobody but the runtime writes it (kube-api.md 1.2). */
function statusRoutes(deps: ApiDeps, resource: Resource, collection: string): readonly Route[] {
  const subresource = resource.subresources.find((one) => one.name === 'status');
  if (subresource === undefined) return [];
  const url = `${collection}/:name/status`;
  return methods.map((method) =>
    method === 'GET'
      ? {
          method,
          url,
          audit: 'get',
          permission: { is: 'resource', resource, subresource, verb: 'get' },
          handler: getHandler(deps, resource),
        }
      : refusedRoute(method, url),
  );
}

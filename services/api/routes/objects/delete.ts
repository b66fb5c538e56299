import type { Resource } from '#core/resource.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { finishNamespaces } from '#services/api/maintenance/namespaces.ts';
import { collectOrphans } from '#services/api/maintenance/orphans.ts';
import { jsonAnswer } from '#services/api/wire/call.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { writingOf } from '#services/api/write/context.ts';
import { type Deleted, readDeleteOptions, removeObject } from '#services/api/write/delete.ts';

/** DELETE of an object: 200 with a Status when it is gone, with the object when its finalizers have to finish first. */
export function deleteHandler(deps: ApiDeps, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const options = readDeleteOptions(call);
    const { context, onlyOwn } = writingOf(deps, resource, call, grant, options.dryRun);
    const deleted = await removeObject(context, { name: call.params.name ?? '', onlyOwn, verb: 'delete' }, options);
    if (!options.dryRun) await followUp(context, deleted);
    return jsonAnswer(200, deleted.answer);
  };
}

/** What a deletion sets off goes at once where it can; the rest is the maintenance pass's. */
async function followUp({ deps, resource, scope, tenantName, call }: WriteContext, deleted: Deleted): Promise<void> {
  const tenant = { tenantId: scope.tenantId, name: tenantName };
  if (resource.kind === 'Namespace') await finishNamespaces(deps, tenant);
  else if (deleted.is === 'gone' && resource.scope === 'Namespaced') await collectOrphans(deps, tenant, call.params.namespace ?? '');
}

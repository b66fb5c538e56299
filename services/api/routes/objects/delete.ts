import type { Resource } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { jsonAnswer } from '#services/api/wire/call.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { writingOf } from '#services/api/write/context.ts';
import { readDeleteOptions, removeObject } from '#services/api/write/delete.ts';

/** DELETE of an object: 200 with a Status when it is gone, with the object when its finalizers have to finish first. */
export function deleteHandler(deps: ApiDeps, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const options = readDeleteOptions(call);
    const { context, onlyOwn } = writingOf(deps, resource, call, grant, options.dryRun);
    const { answer } = await removeObject(context, { name: call.params.name ?? '', onlyOwn, verb: 'delete' }, options);
    return jsonAnswer(200, answer);
  };
}

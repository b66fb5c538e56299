import { AppError } from '#core/errors.ts';
import type { Resource } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { objectAnswer } from '#services/api/read/list-answer.ts';
import type { Schemas } from '#services/api/validate/compile.ts';
import { readDraft } from '#services/api/validate/draft.ts';
import { negotiate } from '#services/api/wire/accept.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { writingOf } from '#services/api/write/context.ts';
import { readWriteOptions, warningHeaders } from '#services/api/write/options.ts';
import { readPatch } from '#services/api/write/patch.ts';
import { changeObject } from '#services/api/write/update.ts';

/** PATCH of an object: 200. The patch is applied to the object as the caller may see it, then read like a PUT. */
export function patchHandler(deps: ApiDeps, schemas: Schemas, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const { name = '' } = call.params;
    const view = negotiate(call.headers.accept, 'objects');
    if (call.body === null) throw new AppError('badRequest', 'the body of the request must hold the patch');
    const patch = readPatch(resource, name, call.body);
    const options = readWriteOptions(call.query, 'PatchOptions');
    const { context, reveal, onlyOwn } = writingOf(deps, resource, call, grant, options.dryRun);
    const { wire, warnings } = await changeObject(context, {
      verb: 'patch',
      name,
      reveal,
      onlyOwn,
      version: patch.version,
      draftOf: (current) => readDraft(schemas, resource, patch.apply(current), options.fieldValidation),
    });
    return objectAnswer({ resource, view, query: call.query, wire, nowMs: deps.clock.nowMs(), headers: warningHeaders(warnings) });
  };
}

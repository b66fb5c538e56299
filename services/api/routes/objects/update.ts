import { AppError } from '#core/errors.ts';
import type { Resource } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { objectAnswer } from '#services/api/read/list-answer.ts';
import type { Schemas } from '#services/api/validate/compile.ts';
import { readDraft } from '#services/api/validate/draft.ts';
import { negotiate } from '#services/api/wire/accept.ts';
import { decodeObject } from '#services/api/wire/decode.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { writingOf } from '#services/api/write/context.ts';
import { readWriteOptions, warningHeaders } from '#services/api/write/options.ts';
import { changeObject, versionOfPut } from '#services/api/write/update.ts';

/** PUT of an object: 200. It must carry the version it is based on; nothing is created. */
export function updateHandler(deps: ApiDeps, schemas: Schemas, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const { name = '' } = call.params;
    const view = negotiate(call.headers.accept, 'objects');
    const options = readWriteOptions(call.query, 'UpdateOptions');
    if (call.body === null) throw new AppError('badRequest', 'the body of the request must hold the object');
    const decoded = decodeObject(call.body);
    const { context, reveal, onlyOwn } = writingOf(deps, resource, call, grant, options.dryRun);
    const { wire, warnings } = await changeObject(context, {
      verb: 'update',
      name,
      reveal,
      onlyOwn,
      version: versionOfPut(decoded.value),
      // Read only once the object was found: what is missing is 404 like what is hidden, whatever the body holds.
      draftOf: () => readDraft(schemas, resource, decoded, options.fieldValidation),
    });
    return objectAnswer({ resource, view, query: call.query, wire, nowMs: deps.clock.nowMs(), headers: warningHeaders(warnings) });
  };
}

import { AppError } from '#core/errors.ts';
import type { Resource } from '#core/resource.ts';
import { namespaceNameForbidden } from '#services/api/auth/answers.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { objectAnswer } from '#services/api/read/list-answer.ts';
import type { Schemas } from '#services/api/validate/compile.ts';
import { type Draft, readDraft } from '#services/api/validate/draft.ts';
import { negotiate } from '#services/api/wire/accept.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';
import { decodeObject } from '#services/api/wire/decode.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { writingOf } from '#services/api/write/context.ts';
import { createObject } from '#services/api/write/create.ts';
import { readWriteOptions, warningHeaders } from '#services/api/write/options.ts';

/** POST to a collection: 201 and the object. */
export function createHandler(deps: ApiDeps, schemas: Schemas, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const view = negotiate(call.headers.accept, 'objects');
    const options = readWriteOptions(call.query, 'CreateOptions');
    if (call.body === null) throw new AppError('badRequest', 'the body of the request must hold the object');
    const draft = readDraft(schemas, resource, decodeObject(call.body), options.fieldValidation);
    checkPlace(call, draft);
    const { context, reveal } = writingOf(deps, resource, call, await placeOf(deps, resource, grant, draft), options.dryRun);
    const wire = await createObject(context, draft, reveal);
    return objectAnswer({
      resource,
      view,
      query: call.query,
      wire,
      status: 201,
      nowMs: deps.clock.nowMs(),
      headers: warningHeaders(draft.warnings),
    });
  };
}

function checkPlace(call: SignedInCall, { metadata }: Draft): void {
  const wanted = call.params.namespace ?? '';
  if (metadata.namespace !== '' && metadata.namespace !== wanted) {
    throw new AppError('badRequest', 'the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.resourceVersion !== null) throw new AppError('badRequest', 'resourceVersion should not be set on objects to be created');
}

/** A Namespace is made in the tenant whose naming policy allows its name; any other name gets one text, taken or not (kube-api.md 2.5). */
async function placeOf(deps: ApiDeps, resource: Resource, grant: Grant, { metadata }: Draft): Promise<Grant> {
  if (grant.is !== 'across') return grant;
  if (resource.kind !== 'Namespace') throw new Error(`a create of ${resource.plural} was granted for more than one place`);
  for (const { scope, tenantName, role, onlyOwn } of grant.parts) {
    const tenant = await deps.db.directory.tenantById(scope.tenantId);
    const policy = tenant?.namespaces ?? { names: [], prefixes: [] };
    const isAllowed = policy.names.includes(metadata.name) || policy.prefixes.some((prefix) => metadata.name.startsWith(prefix));
    if (isAllowed) return { is: 'one', scope, tenantName, role, onlyOwn };
  }
  throw namespaceNameForbidden(metadata.name);
}

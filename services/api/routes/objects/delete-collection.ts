import { AppError } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import { apiVersionOf, type Resource } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { selectorsOf } from '#services/api/read/list-options.ts';
import { readPage } from '#services/api/read/page.ts';
import { partsOf } from '#services/api/read/reading.ts';
import { jsonAnswer } from '#services/api/wire/call.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { writingOf } from '#services/api/write/context.ts';
import { readDeleteOptions, removeObject } from '#services/api/write/delete.ts';

/** DELETE of a collection in one namespace: a List of what was deleted. Each object has its own transaction; one that is gone meanwhile is left out. */
export function deleteCollectionHandler(deps: ApiDeps, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const options = readDeleteOptions(call);
    const { context, onlyOwn } = writingOf(deps, resource, call, grant, options.dryRun);
    const parts = partsOf(resource, grant, call).map((part) => ({ ...part, reveal: false }));
    const reading = { resource, parts, selectors: selectorsOf(call.query, resource) };
    const page = await readPage(deps, reading, { limit: null, after: null, version: null, notOlderThan: null });
    const items: JsonObject[] = [];
    for (const { object } of page.rows) {
      const target = { name: object.name, onlyOwn, verb: 'deletecollection' } as const;
      const deleted = await unlessGone(() => removeObject(context, target, { ...options, uid: object.uid, version: null }));
      if (deleted !== null) items.push(deleted.wire);
    }
    return jsonAnswer(200, {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion: page.version },
      items,
    });
  };
}

async function unlessGone<T>(remove: () => Promise<T>): Promise<T | null> {
  try {
    return await remove();
  } catch (error) {
    if (error instanceof AppError && (error.code === 'notFound' || error.code === 'conflict')) return null;
    throw error;
  }
}

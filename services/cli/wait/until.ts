import { type JsonObject, textAt } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { listAll, pathOf, type ServedResource } from '#services/cli/plane/resources.ts';

type Addressed = Pick<ServedResource, 'group' | 'version' | 'plural' | 'namespaced'>;
export type Waited = Readonly<{ is: 'yes'; object: JsonObject | null }> | Readonly<{ is: 'late'; object: JsonObject | null }>;
/** Least time between two looks when the server ends watches at once. */
const pauseMs = 500;

/**
 * Watches one object until `isDone` says so (it is given null when the object is gone), or until the time is over. No polling: LIST, then WATCH
 * from its version; a watch that ends is opened again.
 */
export async function waitUntil(
  cli: Cli,
  plane: Plane,
  what: Readonly<{ resource: Addressed; namespace: string | null; name: string }>,
  isDone: (object: JsonObject | null) => boolean,
  timeoutMs: number,
): Promise<Waited> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const collection = pathOf(what.resource, what.namespace);
  const fieldSelector = `metadata.name=${what.name}`;
  let object: JsonObject | null = null;
  while (!deadline.aborted) {
    const { items, resourceVersion } = await listAll(plane, collection, { fieldSelector });
    object = items[0] ?? null;
    if (isDone(object)) return { is: 'yes', object };
    for await (const event of plane.watch(collection, { fieldSelector, resourceVersion, allowWatchBookmarks: 'true' }, deadline)) {
      if (event.type === 'ERROR') break;
      if (event.type === 'BOOKMARK' || textAt(event.object, 'metadata', 'name') !== what.name) continue;
      object = event.type === 'DELETED' ? null : event.object;
      if (isDone(object)) return { is: 'yes', object };
    }
    await pause(deadline);
  }
  cli.signal.throwIfAborted();
  return { is: 'late', object };
}

async function pause(until: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    until.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

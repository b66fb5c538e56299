import { at, type JsonObject, textAt } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { listAll, objects, type ServedResource } from '#services/cli/plane/resources.ts';
import { conditionOf, isReadyNow, isStalledNow, notReady } from '#services/cli/wait/not-ready.ts';
import { waitUntil } from '#services/cli/wait/until.ts';

export type Target = Readonly<{ resource: ServedResource; namespace: string | null; name: string }>;

/** Kinds of a toolkit are reconciled and show Ready; our own kinds do so only where something is reached (Cluster). */
export function isReconciled(resource: Pick<ServedResource, 'group' | 'kind'>): boolean {
  return resource.group.endsWith('.toolkit.fluxcd.io');
}

/**
 * Until the object is Ready for its present generation, by watch. `handled` also asks that a request of `weir reconcile` was taken.
 * Throws CliFailure (exit 1) from the one formatter when it stalls, is gone, or is not ready in time.
 */
export async function waitForReady(
  cli: Cli,
  plane: Plane,
  target: Target,
  timeoutMs: number,
  handled: (object: JsonObject) => boolean = () => true,
): Promise<JsonObject> {
  const title = titleOf(target);
  cli.narrate.wait(`waiting for ${title}`);
  const done = (object: JsonObject | null): boolean =>
    object === null || at(object, 'spec', 'suspend') === true || (handled(object) && (isReadyNow(object) || isStalledNow(object)));
  const waited = await waitUntil(cli, plane, target, done, timeoutMs);
  const { object } = waited;
  if (object !== null && at(object, 'spec', 'suspend') === true) {
    cli.narrate.warn(`${title} is suspended: nothing happens until \`weir resume ${target.resource.singular} ${target.name}\``);
    return object;
  }
  if (waited.is === 'yes' && object !== null && isReadyNow(object)) {
    cli.narrate.done(`${title}: ${conditionOf(object, 'Ready')?.message ?? 'Ready'}`);
    return object;
  }
  const why =
    object === null ? 'is gone' : waited.is === 'late' ? `is not ready after ${timeoutMs / 1_000} s` : 'is stalled: a person must act';
  const blamed = object === null ? undefined : await clusterToBlame(plane, target);
  throw await notReady(plane, { object, title, why, ...(blamed === undefined ? {} : { cluster: blamed }), next: nextFor(target) });
}

export function titleOf({ resource, namespace, name }: Target): string {
  return `${resource.kind}/${namespace === null ? '' : `${namespace}/`}${name}`;
}

function nextFor({ resource, namespace, name }: Target): string {
  const place = namespace === null ? '' : ` -n ${namespace}`;
  return resource.kind === 'Kustomization'
    ? `weir tree ${resource.singular} ${name}${place}`
    : `weir events --for ${resource.singular}/${name}${place}`;
}

/** The first cluster on which the definition's delivery is not Ready. */
async function clusterToBlame(plane: Plane, { resource, namespace, name }: Target): Promise<string | undefined> {
  if (resource.kind !== 'Kustomization' || namespace === null) return undefined;
  const { items } = await listAll(plane, `/apis/weir.dev/v1/namespaces/${encodeURIComponent(namespace)}/deliveries`);
  const bad = objects(items).find(
    (one) => textAt(one, 'spec', 'definition', 'name') === name && conditionOf(one, 'Ready')?.status !== 'True',
  );
  if (bad === undefined) return undefined;
  const ready = conditionOf(bad, 'Ready');
  return `${textAt(bad, 'spec', 'cluster', 'namespace') ?? ''}/${textAt(bad, 'spec', 'cluster', 'name') ?? ''}${ready === null ? '' : ` (${ready.reason}: ${ready.message})`}`;
}

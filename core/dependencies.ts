import { conditionOf } from './conditions.ts';
import { at, type JsonObject } from './json.ts';
import type { Lookup } from './ports.ts';
import type { StoredObject } from './store.ts';

type Asked = Readonly<{
  definition: StoredObject;
  dependsOn: readonly Readonly<{ name: string; namespace?: string }>[];
  /** A further reason of the kind's own why a dependency that is ready does not count yet. */
  also?(dependency: StoredObject, status: JsonObject, shown: string): string | null;
}>;

/**
 * Why a dependency of the same kind is not ready, or null when all are (definitions.md 3.4): it exists, its observed generation is current, Ready is True. What counts is
 * the dependency on the same cluster, where it is delivered there, else its folded status.
 */
export async function unreadyDependency(lookup: Lookup, { definition, dependsOn, also }: Asked): Promise<string | null> {
  for (const wanted of dependsOn) {
    const namespace = wanted.namespace ?? definition.namespace;
    const shown = `'${namespace}/${wanted.name}'`;
    const key = { kind: definition.kind, namespace, name: wanted.name };
    const dependency = await lookup.get(key);
    if (dependency === null) return `dependency ${shown} not found`;
    const status = ((await lookup.deliveryOf(key)) ?? dependency).status ?? {};
    if (at(status, 'observedGeneration') !== dependency.generation)
      return `dependency ${shown} is not ready: its generation ${dependency.generation} is not observed yet`;
    const ready = conditionOf(status, 'Ready');
    if (ready?.status !== 'True') return `dependency ${shown} is not ready${ready === null ? '' : `: ${ready.message.slice(0, 200)}`}`;
    const further = also?.(dependency, status, shown) ?? null;
    if (further !== null) return further;
  }
  return null;
}

import { conditionOf } from '#core/conditions.ts';
import { at, textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { KustomizationSpec } from './schema.ts';

/**
 * Why a dependency is not ready, or null when all are (definitions.md 3.4): it exists, its observed generation is current, Ready is True, and, when both use one source,
 * its last applied revision is the current one. What counts is the dependency on the same cluster, where it is delivered there, else its folded status.
 */
export async function unreadyDependency(
  lookup: Lookup,
  definition: StoredObject,
  spec: KustomizationSpec,
  revision: string,
): Promise<string | null> {
  for (const wanted of spec.dependsOn ?? []) {
    const namespace = wanted.namespace ?? definition.namespace;
    const shown = `'${namespace}/${wanted.name}'`;
    const key = { kind: 'Kustomization', namespace, name: wanted.name };
    const dependency = await lookup.get(key);
    if (dependency === null) return `dependency ${shown} not found`;
    const status = ((await lookup.deliveryOf(key)) ?? dependency).status ?? {};
    if (at(status, 'observedGeneration') !== dependency.generation)
      return `dependency ${shown} is not ready: its generation ${dependency.generation} is not observed yet`;
    const ready = conditionOf(status, 'Ready');
    if (ready?.status !== 'True') return `dependency ${shown} is not ready${ready === null ? '' : `: ${ready.message.slice(0, 200)}`}`;
    if (sharesSource(definition, spec, dependency) && textAt(status, 'lastAppliedRevision') !== revision)
      return `dependency ${shown} is not updated yet to ${revision}`;
  }
  return null;
}

function sharesSource(definition: StoredObject, spec: KustomizationSpec, dependency: StoredObject): boolean {
  const { sourceRef } = spec;
  const theirs = at(dependency.body, 'spec', 'sourceRef');
  const theirNamespace = textAt(theirs, 'namespace') ?? dependency.namespace;
  return (
    textAt(theirs, 'kind') === sourceRef.kind &&
    textAt(theirs, 'name') === sourceRef.name &&
    theirNamespace === (sourceRef.namespace ?? definition.namespace)
  );
}

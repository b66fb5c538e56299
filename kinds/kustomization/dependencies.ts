import { type Unready, unreadyDependency as unready } from '#core/dependencies.ts';
import { at, textAt } from '#core/json.ts';
import type { Lookup, Patterns } from '#core/ports.ts';
import { apiVersionOf } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { resource } from './resource.ts';
import type { KustomizationSpec } from './schema.ts';

/** Why a dependency is not ready, or null when all are; when both use one source, its last applied revision must be the current one as well (definitions.md 3.4). */
export function unreadyDependency(
  { lookup, patterns }: Readonly<{ lookup: Lookup; patterns: Patterns }>,
  definition: StoredObject,
  spec: KustomizationSpec,
  revision: string,
): Promise<Unready | null> {
  return unready(lookup, {
    definition,
    apiVersion: apiVersionOf(resource),
    patterns,
    dependsOn: spec.dependsOn ?? [],
    also: (dependency, status, shown) =>
      sharesSource(definition, spec, dependency) && textAt(status, 'lastAppliedRevision') !== revision
        ? `dependency ${shown} is not updated yet to ${revision}`
        : null,
  });
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

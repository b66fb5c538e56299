import type { OwnedObject } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { ArtifactGeneratorSpec } from './schema.ts';

export const GENERATOR_LABEL = 'source.extensions.fluxcd.io/generator';
const API_VERSION = 'source.extensions.fluxcd.io/v1beta1';

/** What marks an ExternalArtifact as this generator's own; nothing else of that name is touched. */
export function ownLabels({ uid }: Pick<StoredObject, 'uid'>): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/managed-by': 'source-watcher', [GENERATOR_LABEL]: uid };
}

/** The ExternalArtifact of an output as it should be. Pure. */
export function resultOf(definition: StoredObject, { commonMetadata }: ArtifactGeneratorSpec, name: string): OwnedObject {
  return {
    kind: 'ExternalArtifact',
    namespace: definition.namespace,
    name,
    labels: { ...(commonMetadata?.labels ?? {}), ...ownLabels(definition) },
    annotations: commonMetadata?.annotations ?? {},
    spec: { sourceRef: { apiVersion: API_VERSION, kind: definition.kind, name: definition.name, namespace: definition.namespace } },
  };
}

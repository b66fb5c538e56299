import { textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { KustomizationSpec } from './schema.ts';

/** The artifact to build from, or why there is none. */
export type Source =
  | Readonly<{ is: 'artifact'; digest: string; revision: string; originRevision: string | null }>
  | Readonly<{ is: 'foreign' | 'missing' | 'noArtifact' | 'unsupported'; message: string }>;

const SERVED: ReadonlySet<string> = Object.freeze(new Set(['GitRepository', 'OCIRepository', 'Bucket', 'ExternalArtifact']));

/**
 * Looks up `spec.sourceRef`. A namespace that is not the tenant's own is answered in one way whether or not it exists, so that nothing is learned about strangers.
 */
export async function findSource(lookup: Lookup, definition: StoredObject, ref: KustomizationSpec['sourceRef']): Promise<Source> {
  const namespace = ref.namespace ?? definition.namespace;
  const shown = `${ref.kind} ${namespace}/${ref.name}`;
  if (!SERVED.has(ref.kind))
    return { is: 'unsupported', message: `spec.sourceRef.kind ${ref.kind} is not served by this release: use ${[...SERVED].join(' or ')}` };
  if (namespace !== definition.namespace && !(await lookup.namespaces()).includes(namespace)) {
    return {
      is: 'foreign',
      message: `can't access '${ref.kind}/${namespace}/${ref.name}': spec.sourceRef.namespace must be a namespace of this tenant`,
    };
  }
  const source = await lookup.get({ kind: ref.kind, namespace, name: ref.name });
  if (source === null) return { is: 'missing', message: `${shown} not found: create it, or correct spec.sourceRef` };
  const digest = textAt(source.status ?? {}, 'artifact', 'digest');
  const revision = textAt(source.status ?? {}, 'artifact', 'revision');
  if (digest === undefined || revision === undefined)
    return { is: 'noArtifact', message: `Source artifact not found, retrying: ${shown} has none yet; see its conditions` };
  return {
    is: 'artifact',
    digest,
    revision,
    originRevision: textAt(source.status ?? {}, 'artifact', 'metadata', 'org.opencontainers.image.revision') ?? null,
  };
}

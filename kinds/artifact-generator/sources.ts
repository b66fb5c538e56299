import { textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { ArtifactGeneratorSpec } from './schema.ts';

export type FoundSource = Readonly<{ alias: string; digest: string; revision: string; originRevision: string | null }>;
export type Sources =
  | Readonly<{ is: 'found'; sources: readonly FoundSource[] }>
  | Readonly<{ is: 'foreign' | 'missing' | 'noArtifact'; message: string }>;

/** The artifacts of all sources. A namespace that is not the tenant's own is answered in one way whether or not it exists (threats B12). */
export async function findSources(lookup: Lookup, definition: StoredObject, spec: ArtifactGeneratorSpec): Promise<Sources> {
  const namespaces = await lookup.namespaces();
  const sources: FoundSource[] = [];
  for (const { alias, kind, name, namespace = definition.namespace } of spec.sources) {
    const shown = `${kind}/${namespace}/${name}`;
    if (namespace !== definition.namespace && !namespaces.includes(namespace))
      return { is: 'foreign', message: `can't access '${shown}': spec.sources[].namespace must be a namespace of this tenant` };
    const source = await lookup.get({ kind, namespace, name });
    if (source === null) return { is: 'missing', message: `source '${shown}' not found: create it, or correct spec.sources` };
    const status = source.status ?? {};
    const digest = textAt(status, 'artifact', 'digest');
    const revision = textAt(status, 'artifact', 'revision');
    if (digest === undefined || revision === undefined)
      return { is: 'noArtifact', message: `source '${shown}' is not ready: it has no artifact yet; see its conditions` };
    const written = textAt(status, 'artifact', 'metadata', 'org.opencontainers.image.revision') ?? null;
    // A Git revision is its own origin.
    sources.push({ alias, digest, revision, originRevision: written ?? (kind === 'GitRepository' ? revision : null) });
  }
  return { is: 'found', sources };
}

import { textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { HelmReleaseSpec } from './schema.ts';

/** The artifact with the chart, or why there is none. */
export type Source =
  | Readonly<{
      is: 'artifact';
      digest: string;
      revision: string;
      /** Digest of the OCI artifact (or composed artifact) that the chart came in; it goes into the version (definitions.md 4.2). */
      ociDigest: string | null;
    }>
  | Readonly<{ is: 'foreign' | 'missing' | 'noArtifact'; message: string }>;

type Reference = Readonly<{ kind: 'HelmChart' | 'OCIRepository' | 'ExternalArtifact'; namespace: string; name: string; field: string }>;

/** The HelmChart that is made for `spec.chart`: in the namespace of the source, named `<namespace>-<name>` (definitions.md 4.1). Pure. */
export function ownChartOf(definition: Pick<StoredObject, 'namespace' | 'name'>, spec: HelmReleaseSpec): Reference | null {
  if (spec.chart === undefined) return null;
  const namespace = spec.chart.spec.sourceRef.namespace ?? definition.namespace;
  return { kind: 'HelmChart', namespace, name: `${definition.namespace}-${definition.name}`, field: 'spec.chart.spec.sourceRef.namespace' };
}

/** What the chart comes from, or null when the schema rule on `chart` and `chartRef` was broken. Pure. */
export function referenceOf(definition: Pick<StoredObject, 'namespace' | 'name'>, spec: HelmReleaseSpec): Reference | null {
  const own = ownChartOf(definition, spec);
  if (own !== null || spec.chartRef === undefined) return own;
  const { kind, name, namespace } = spec.chartRef;
  return { kind, name, namespace: namespace ?? definition.namespace, field: 'spec.chartRef.namespace' };
}

/** A namespace that is not the tenant's own is answered in one way whether or not it exists, so that nothing is learned about strangers (threats B12). */
export async function findSource(lookup: Lookup, definition: StoredObject, spec: HelmReleaseSpec): Promise<Source> {
  const reference = referenceOf(definition, spec);
  if (reference === null) return { is: 'missing', message: 'spec.chart or spec.chartRef is missing' };
  const { kind, namespace, name, field } = reference;
  const shown = `${kind} ${namespace}/${name}`;
  if (namespace !== definition.namespace && !(await lookup.namespaces()).includes(namespace))
    return { is: 'foreign', message: `can't access '${kind}/${namespace}/${name}': ${field} must be a namespace of this tenant` };
  const source = await lookup.get({ kind, namespace, name });
  if (source === null)
    return { is: 'missing', message: `could not get source object: ${shown} not found: create it, or correct the reference` };
  const digest = textAt(source.status ?? {}, 'artifact', 'digest');
  const revision = textAt(source.status ?? {}, 'artifact', 'revision');
  if (digest === undefined || revision === undefined)
    return { is: 'noArtifact', message: `${shown} is not ready: it has no artifact yet; see its conditions` };
  // A composed chart keeps its version when its content changes: the digest tells the two apart, as with an OCI artifact.
  const contentDigest = kind === 'OCIRepository' ? ociDigestOf(revision) : kind === 'ExternalArtifact' ? digest : null;
  return { is: 'artifact', digest, revision, ociDigest: contentDigest };
}

/** `6.5.0@sha256:…` of an OCIRepository. */
function ociDigestOf(revision: string): string | null {
  return /(?:^|@)(sha256:[0-9a-f]{64})$/.exec(revision)?.[1] ?? null;
}

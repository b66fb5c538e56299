import { createHash } from 'node:crypto';
import type { ReleaseName } from '#core/helm.ts';
import type { HelmReleaseSpec } from './schema.ts';

const MAX_NAME = 53;

/** `[<targetNamespace>-]<name>`, cut to 40 characters and the hash when it is over 53 (definitions.md 4.1). Pure. */
export function releaseNameOf(definition: Readonly<{ name: string }>, spec: HelmReleaseSpec): string {
  if (spec.releaseName !== undefined) return spec.releaseName;
  const full = spec.targetNamespace === undefined ? definition.name : `${spec.targetNamespace}-${definition.name}`;
  if (full.length <= MAX_NAME) return full;
  return `${full.slice(0, 40)}-${createHash('sha256').update(full).digest('hex').slice(0, 12)}`;
}

/**
 * Name and namespace of the release on a cluster, or what to write so that there is one. Without `targetNamespace`: the definition's own namespace when it is granted
 * there, else the only one that is (design.md section 7). Helm keeps the records in the same namespace. Pure.
 */
export function placeOf(
  definition: Readonly<{ name: string; namespace: string }>,
  spec: HelmReleaseSpec,
  granted: readonly string[],
): ReleaseName | Readonly<{ problem: string }> {
  const name = releaseNameOf(definition, spec);
  const wanted = spec.targetNamespace ?? (granted.length === 0 || granted.includes(definition.namespace) ? definition.namespace : null);
  const [only] = granted;
  const namespace = wanted ?? (granted.length === 1 && only !== undefined ? only : null);
  if (namespace === null) return { problem: `set spec.targetNamespace to one of ${granted.join(', ')}` };
  if (granted.length > 0 && !granted.includes(namespace))
    return { problem: `spec.targetNamespace ${namespace} is not granted to this tenant (granted: ${granted.join(', ')})` };
  return { name, namespace };
}

import type { HelmRepositorySpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: HelmRepositorySpec): string | null {
  const provider = spec.provider ?? 'generic';
  if (spec.type !== 'oci' || provider === 'generic') return null;
  return `spec.provider ${provider} is not served by this release: use provider generic with a registry Secret in spec.secretRef`;
}

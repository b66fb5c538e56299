import type { KustomizationSpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: KustomizationSpec): string | null {
  if (spec.decryption !== undefined)
    return 'spec.decryption is not served by this release: remove it, or keep encrypted files out of spec.path';
  if ((spec.ignore ?? []).length > 0)
    return 'spec.ignore is not served by this release: annotate the object with kustomize.toolkit.fluxcd.io/ssa: Merge instead';
  return null;
}

import type { ImageRepositorySpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: ImageRepositorySpec): string | null {
  if (spec.provider !== undefined && spec.provider !== 'generic')
    return `spec.provider ${spec.provider} is not served by this release: use generic with a login in spec.secretRef`;
  if (spec.proxySecretRef !== undefined) return 'spec.proxySecretRef is not served by this release: remove it; the plane connects directly';
  return null;
}

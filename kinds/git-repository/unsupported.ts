import type { GitRepositorySpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: GitRepositorySpec): string | null {
  if (spec.verify !== undefined)
    return 'spec.verify is not served by this release, and nothing unverified is delivered in its place: remove it, or wait for signature checks';
  if ((spec.include ?? []).length > 0)
    return 'spec.include is not served by this release: remove it, and put the content into one repository';
  if ((spec.sparseCheckout ?? []).length > 0)
    return 'spec.sparseCheckout is not served by this release: remove it, and leave folders out with spec.ignore';
  if (spec.recurseSubmodules === true)
    return 'spec.recurseSubmodules is not served by this release: remove it, and use a GitRepository for each repository';
  if (spec.provider !== undefined && spec.provider !== 'generic')
    return `spec.provider ${spec.provider} is not served by this release: use generic with a token in spec.secretRef`;
  if (spec.proxySecretRef !== undefined) return 'spec.proxySecretRef is not served by this release: remove it; the plane connects directly';
  if (spec.url.startsWith('ssh://'))
    return 'spec.url with ssh:// is not served by this release: use the https:// address with a token in spec.secretRef';
  return null;
}

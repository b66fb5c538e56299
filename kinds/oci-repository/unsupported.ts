import type { OCIRepositorySpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: OCIRepositorySpec): string | null {
  const provider = spec.provider ?? 'generic';
  if (provider !== 'generic')
    return `spec.provider ${provider} is not served by this release: use generic with a login for the registry in spec.secretRef`;
  if (spec.proxySecretRef !== undefined) return 'spec.proxySecretRef is not served by this release: remove it; the plane connects directly';
  return spec.verify === undefined ? null : unsupportedVerification(spec.verify);
}

function unsupportedVerification(verify: NonNullable<OCIRepositorySpec['verify']>): string | null {
  if (verify.provider === 'notation')
    return 'spec.verify.provider notation is not served by this release, and nothing unverified is delivered in its place: sign with cosign and a key';
  if (verify.secretRef === undefined)
    // The plane's root may be the public one, below which everybody gets a certificate.
    return verify.trustedRootSecretRef === undefined && (verify.matchOIDCIdentity ?? []).length === 0
      ? 'spec.verify without secretRef, trustedRootSecretRef and matchOIDCIdentity would trust whoever signed: write spec.verify.matchOIDCIdentity'
      : null;
  if ((verify.matchOIDCIdentity ?? []).length > 0)
    return 'spec.verify.matchOIDCIdentity is of keyless signatures and says nothing about a key: remove it, or spec.verify.secretRef';
  if (verify.trustedRootSecretRef !== undefined)
    return 'spec.verify.trustedRootSecretRef is of keyless signatures and says nothing about a key: remove it, or spec.verify.secretRef';
  return null;
}

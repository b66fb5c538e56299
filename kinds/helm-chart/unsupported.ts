import { textAt } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import type { HelmChartSpec } from './schema.ts';
import { isRegistry } from './source.ts';

const NOTHING = 'and nothing unverified is delivered in its place';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField({ verify }: HelmChartSpec): string | null {
  if (verify === undefined) return null;
  if (verify.provider === 'notation')
    return `spec.verify.provider notation is not served by this release, ${NOTHING}: sign with cosign and a key`;
  if (verify.secretRef === undefined)
    // The plane's root may be the public one, below which everybody gets a certificate.
    return (verify.matchOIDCIdentity ?? []).length === 0
      ? 'spec.verify without secretRef and matchOIDCIdentity would trust whoever signed: write spec.verify.matchOIDCIdentity'
      : null;
  if ((verify.matchOIDCIdentity ?? []).length > 0)
    return 'spec.verify.matchOIDCIdentity is of keyless signatures and says nothing about a key: remove it, or spec.verify.secretRef';
  return null;
}

/** The same of the source; it is said here too, since this is what would use it. Pure. */
export function unsupportedSource(source: StoredObject, shown: string, verify: HelmChartSpec['verify']): string | null {
  if (!isRegistry(source))
    return verify === undefined ? null : `spec.verify is for charts of a registry, and ${shown} is none, ${NOTHING}: remove it`;
  const provider = textAt(source.body, 'spec', 'provider') ?? 'generic';
  if (provider === 'generic') return null;
  return `spec.provider ${provider} of ${shown} is not served by this release: use provider generic with a registry Secret in its spec.secretRef`;
}

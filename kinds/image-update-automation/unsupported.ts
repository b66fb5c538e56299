import { at, type JsonObject, textAt } from '#core/json.ts';

/** A field of the GitRepository that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedSource(spec: JsonObject, shown: string): string | null {
  const provider = textAt(spec, 'provider') ?? 'generic';
  if (provider !== 'generic')
    return `${shown}: spec.provider ${provider} is not served by this release: use generic with a token in spec.secretRef`;
  if (at(spec, 'proxySecretRef') !== undefined)
    return `${shown}: spec.proxySecretRef is not served by this release: remove it; the plane connects directly`;
  if ((textAt(spec, 'url') ?? '').startsWith('ssh://'))
    return `${shown}: spec.url with ssh:// is not served by this release: use the https:// address with a token in spec.secretRef`;
  return null;
}

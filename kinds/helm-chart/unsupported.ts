import { textAt } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import type { HelmChartSpec } from './schema.ts';
import { isRegistry } from './source.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: HelmChartSpec): string | null {
  return spec.verify === undefined
    ? null
    : 'spec.verify is not served by this release, and nothing unverified is delivered in its place: remove it, or wait for signature checks';
}

/** The same of the source; it is said here too, since this is what would use it. Pure. */
export function unsupportedSource(source: StoredObject, shown: string): string | null {
  const provider = textAt(source.body, 'spec', 'provider') ?? 'generic';
  if (!isRegistry(source) || provider === 'generic') return null;
  return `spec.provider ${provider} of ${shown} is not served by this release: use provider generic with a registry Secret in its spec.secretRef`;
}

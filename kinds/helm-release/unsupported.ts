import type { HelmReleaseSpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: HelmReleaseSpec): string | null {
  if (spec.storageNamespace !== undefined && spec.storageNamespace !== spec.targetNamespace)
    return 'spec.storageNamespace is served only when it equals spec.targetNamespace: helm keeps the records in the namespace of the release';
  if (spec.kubeConfig?.configMapRef !== undefined)
    return 'spec.kubeConfig.configMapRef is not served by this release: use spec.kubeConfig.secretRef';
  return null;
}

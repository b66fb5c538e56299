import type { HelmReleaseSpec } from './schema.ts';

/** A field that Flux knows and this release does not do yet: said plainly, never ignored in silence. Null when there is none. Pure. */
export function unsupportedField(spec: HelmReleaseSpec): string | null {
  if (spec.storageNamespace !== undefined && spec.storageNamespace !== spec.targetNamespace)
    return 'spec.storageNamespace is served only when it equals spec.targetNamespace: helm keeps the records in the namespace of the release';
  if (spec.kubeConfig?.configMapRef !== undefined)
    return 'spec.kubeConfig.configMapRef is not served by this release: use spec.kubeConfig.secretRef';
  if ((spec.dependsOn ?? []).some((one) => one.readyExpr !== undefined))
    return 'spec.dependsOn[].readyExpr is not served by this release: leave it out to use the built-in readiness check';
  if ((spec.healthCheckExprs ?? []).length > 0)
    return 'spec.healthCheckExprs is not served by this release: helm waits by its built-in health rules';
  if (spec.chartRef?.kind === 'ExternalArtifact')
    return 'spec.chartRef.kind ExternalArtifact is not served by this release: use an OCIRepository or a HelmChart';
  return null;
}

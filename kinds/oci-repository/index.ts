import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type OCIRepositoryNeed, observe, remoteTimeoutMs, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { OCIRepositorySpec, OCIRepositoryStatus } from './schema.ts';

const archiveTimeMs = 60_000;

/** Flux's OCIRepository: a layer of an artifact in an OCI registry becomes an artifact of the plane. */
export const ociRepositoryKind = defineKind<
  'definition',
  typeof OCIRepositorySpec,
  typeof OCIRepositoryStatus,
  OCIRepositoryNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: OCIRepositorySpec,
  status: OCIRepositoryStatus,
  needs: ['lookup', 'secrets', 'registry', 'sigstore', 'patterns', 'artifacts'],
  refs: (spec, namespace) => [
    ...[spec.secretRef, spec.certSecretRef, spec.verify?.secretRef, spec.verify?.trustedRootSecretRef].flatMap((ref) =>
      ref === undefined ? [] : [{ kind: 'Secret', namespace, name: ref.name, on: 'change' as const }],
    ),
    ...(spec.serviceAccountName === undefined || spec.serviceAccountName === ''
      ? []
      : [{ kind: 'ServiceAccount', namespace, name: spec.serviceAccountName, on: 'change' as const }]),
  ],
  intervalMs: (spec) => durationMs(spec.interval, 0),
  suspended: (spec) => spec.suspend === true,
  // Tags, digest, signatures, manifest, layer, and the time to pack what came.
  timeoutMs: (spec) => 5 * remoteTimeoutMs(spec) + archiveTimeMs,
  observe,
  decide,
  act,
  // The artifact store collects what no status names any more.
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the artifact is left to collection', revision: '' }),
});

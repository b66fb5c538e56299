import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type HelmRepositoryNeed, indexTimeoutMs, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { HelmRepositorySpec, HelmRepositoryStatus } from './schema.ts';

const defaultIntervalMs = 60_000;
/** Reading an index of 50 MiB and storing it. */
const storeTimeMs = 120_000;

/** Flux's HelmRepository: the index of a chart repository becomes an artifact; a registry (type oci) is a plain record. */
export const helmRepositoryKind = defineKind<
  'definition',
  typeof HelmRepositorySpec,
  typeof HelmRepositoryStatus,
  HelmRepositoryNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: HelmRepositorySpec,
  status: HelmRepositoryStatus,
  needs: ['secrets', 'artifacts', 'charts'],
  refs: (spec, namespace) =>
    [spec.secretRef, spec.certSecretRef].flatMap((ref) =>
      ref === undefined ? [] : [{ kind: 'Secret', namespace, name: ref.name, on: 'change' as const }],
    ),
  intervalMs: (spec) => (spec.type === 'oci' ? null : durationMs(spec.interval, defaultIntervalMs)),
  suspended: (spec) => spec.type !== 'oci' && spec.suspend === true,
  timeoutMs: (spec) => indexTimeoutMs(spec) + storeTimeMs,
  observe,
  decide,
  act,
  // The artifact store collects what no status names any more.
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the index is left to collection', revision: '' }),
});

import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type BucketNeed, observe, remoteTimeoutMs, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { BucketSpec, BucketStatus } from './schema.ts';

const archiveTimeMs = 60_000;

/** Flux's Bucket: the objects of an S3-compatible bucket become an artifact. */
export const bucketKind = defineKind<'definition', typeof BucketSpec, typeof BucketStatus, BucketNeed, Seen, Act>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: BucketSpec,
  status: BucketStatus,
  needs: ['secrets', 'bucket', 'artifacts'],
  refs: (spec, namespace) =>
    [spec.secretRef, spec.certSecretRef].flatMap((ref) =>
      ref === undefined ? [] : [{ kind: 'Secret', namespace, name: ref.name, on: 'change' as const }],
    ),
  intervalMs: (spec) => durationMs(spec.interval, 0),
  suspended: (spec) => spec.suspend === true,
  // One listing, one fetch, and the time to pack what came.
  timeoutMs: (spec) => 2 * remoteTimeoutMs(spec) + archiveTimeMs,
  observe,
  decide,
  act,
  // The artifact store collects what no status names any more.
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the artifact is left to collection', revision: '' }),
});

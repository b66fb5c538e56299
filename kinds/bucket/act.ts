import { conditionsFor, progressing, readConditions } from '#core/conditions.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import type { Artifact } from '#core/ports.ts';
import { rfc3339 } from '#core/time.ts';
import type { Act } from './decide.ts';
import { type BucketNeed, type BucketObj, fetchFailure, limitsOf, openRemote } from './observe.ts';
import type { BucketStatus } from './schema.ts';

const MAX_ARTIFACT_ENTRIES = 50_000;

/**
 * Fetches the objects and stores them as an artifact. Idempotent: the same objects give the same digest. A failure of the remote or of the limits is
 * answered as a condition, which the next look turns into the outcome; the last artifact stays.
 */
export async function act(ctx: Ctx<BucketNeed>, obj: BucketObj, action: Act): Promise<Shown<typeof BucketStatus>> {
  try {
    return { status: builtStatus(ctx, obj, await build(ctx, obj, action)) };
  } catch (error) {
    const condition = failureCondition(error);
    if (condition === null) throw error;
    return { status: { conditions: [...withConditions(ctx, obj, [condition, ...outdated(obj, action)])] } };
  }
}

type Built = Readonly<{ artifact: Artifact; revision: string }>;

async function build(ctx: Ctx<BucketNeed>, obj: BucketObj, { objects }: Act): Promise<Built> {
  const remote = await openRemote(ctx, obj);
  if (remote.is !== 'remote') throw new AppError('upstreamAuthFailed', remote.message);
  const limits = limitsOf(obj.spec);
  // The index is made again of what came: an object may have changed or gone since it was listed.
  const { files, revision, dispose } = await ctx.bucket.fetch(remote.remote, objects, limits, ctx.signal);
  try {
    const artifact = await ctx.artifacts.putFiles({ files, maxBytes: limits.maxBytes, maxEntries: MAX_ARTIFACT_ENTRIES }, ctx.signal);
    return { artifact, revision };
  } catch (error) {
    if (error instanceof AppError && (error.code === 'artifactTooLarge' || error.code === 'badRequest'))
      throw new AppError('artifactTooLarge', `${STORAGE}${error.message}`, {}, { cause: error });
    throw error;
  } finally {
    await dispose();
  }
}

const STORAGE = 'unable to archive artifact to storage: ';

function builtStatus(
  ctx: Ctx<BucketNeed>,
  { definition, spec, status }: BucketObj,
  { artifact: { digest, sizeBytes }, revision }: Built,
): Partial<BucketStatus> {
  const folder = `bucket/${definition.namespace}/${definition.name}`;
  const path = `${folder}/${revision.slice(revision.indexOf(':') + 1)}.tar.gz`;
  return {
    // The plane hands artifacts to its own workers by digest; there is no file server, hence no http address.
    artifact: { digest, revision, path, url: `weir:${path}`, size: sizeBytes, lastUpdateTime: rfc3339(ctx.nowMs()) },
    url: `weir:${folder}/latest.tar.gz`,
    // Merged over the status, so rules that were taken away are written as the empty text, which means the same.
    ...(spec.ignore === undefined && status?.observedIgnore === undefined ? {} : { observedIgnore: spec.ignore ?? '' }),
  };
}

function outdated({ status }: BucketObj, { revision }: Act): readonly ExtraCondition[] {
  if (status?.artifact === undefined || status.artifact.revision === revision) return [];
  return [{ type: 'ArtifactOutdated', status: 'True', reason: 'NewRevision', message: `new upstream revision '${revision}'` }];
}

function failureCondition(error: unknown): ExtraCondition | null {
  if (error instanceof AppError && error.message.startsWith(STORAGE))
    return { type: 'StorageOperationFailed', status: 'True', reason: 'ArchiveOperationFailed', message: error.message };
  const fetch = fetchFailure(error);
  return fetch === null ? null : { type: 'FetchFailed', status: 'True', ...fetch };
}

/** Conditions as the runtime writes them while a run goes on, with these beside them. */
function withConditions(ctx: Ctx<BucketNeed>, { definition, status }: BucketObj, extras: readonly ExtraCondition[]) {
  const previous = readConditions({
    conditions: (status?.conditions ?? []).map((one) => ({ ...one, observedGeneration: one.observedGeneration ?? 0 })),
  });
  return conditionsFor({
    outcome: progressing('building artifact', '', 0),
    extras,
    previous,
    generation: definition.generation,
    nowMs: ctx.nowMs(),
  });
}

import { conditionsFor, progressing, readConditions } from '#core/conditions.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import { rfc3339 } from '#core/time.ts';
import type { Act } from './decide.ts';
import { ETAG, type HelmRepositoryNeed, type HelmRepositoryObj, LAST_MODIFIED } from './observe.ts';
import type { HelmRepositoryStatus } from './schema.ts';

/** Checks and stores the fetched index. Idempotent: the same index gives the same digest. An index that cannot be read is answered as a condition. */
export async function act(
  ctx: Ctx<HelmRepositoryNeed>,
  obj: HelmRepositoryObj,
  { file, revision, mark }: Act,
): Promise<Shown<typeof HelmRepositoryStatus>> {
  const { definition } = obj;
  try {
    const stored = await ctx.charts.storeIndex(file, ctx.signal);
    if (stored.is === 'refused')
      return failed(ctx, obj, revision, {
        type: 'FetchFailed',
        status: 'True',
        reason: 'IndexationFailed',
        message: `failed to load Helm repository from index YAML: ${stored.message}`,
      });
    const path = `helmrepository/${definition.namespace}/${definition.name}/index-${revision.replace('sha256:', '')}.yaml`;
    const metadata = {
      ...(mark.etag === null ? {} : { [ETAG]: mark.etag }),
      ...(mark.lastModified === null ? {} : { [LAST_MODIFIED]: mark.lastModified }),
    };
    const { digest, sizeBytes } = stored.artifact;
    const url = `weir:${path}`;
    const artifact = { digest, revision, path, url, size: sizeBytes, lastUpdateTime: rfc3339(ctx.nowMs()), metadata };
    // A failure of an earlier run is over.
    const conditions = withConditions(ctx, obj, [
      { type: 'FetchFailed', status: null },
      { type: 'StorageOperationFailed', status: null },
    ]);
    return { status: { url, artifact, conditions } };
  } catch (error) {
    if (!(error instanceof AppError) || (error.code !== 'artifactTooLarge' && error.code !== 'badRequest')) throw error;
    return failed(ctx, obj, revision, {
      type: 'StorageOperationFailed',
      status: 'True',
      reason: 'ArchiveOperationFailed',
      message: `unable to save artifact to storage: ${error.message}`,
    });
  }
}

function failed(
  ctx: Ctx<HelmRepositoryNeed>,
  obj: HelmRepositoryObj,
  revision: string,
  condition: ExtraCondition,
): Shown<typeof HelmRepositoryStatus> {
  const isOther = obj.status?.artifact !== undefined && obj.status.artifact.revision !== revision;
  const outdated: readonly ExtraCondition[] = isOther
    ? [{ type: 'ArtifactOutdated', status: 'True', reason: 'NewRevision', message: `new index revision '${revision}'` }]
    : [];
  return { status: { conditions: withConditions(ctx, obj, [condition, ...outdated]) } };
}

/** Conditions as the runtime writes them while a run goes on, with these beside them. */
function withConditions(ctx: Ctx<HelmRepositoryNeed>, { definition, status }: HelmRepositoryObj, extras: readonly ExtraCondition[]) {
  const previous = readConditions({
    conditions: (status?.conditions ?? []).map((one) => ({ ...one, observedGeneration: one.observedGeneration ?? 0 })),
  });
  const outcome = progressing('storing the index', '', 0);
  return [...conditionsFor({ outcome, extras, previous, generation: definition.generation, nowMs: ctx.nowMs() })];
}

import { conditionsFor, progressing, readConditions } from '#core/conditions.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import type { Artifact } from '#core/ports.ts';
import { rfc3339 } from '#core/time.ts';
import type { Act } from './decide.ts';
import { fetchFailure, type GitRepositoryNeed, type GitRepositoryObj, logIn, remoteTimeoutMs } from './observe.ts';
import type { GitRepositoryStatus } from './schema.ts';

/** Limits of one artifact: those of the tree as git writes it, and of what the ignore rules leave. */
const MAX_TREE_BYTES = 1_073_741_824;
const MAX_ARTIFACT_BYTES = 268_435_456;
const MAX_ARTIFACT_ENTRIES = 50_000;

type ActCtx = Pick<Ctx<GitRepositoryNeed>, 'git' | 'artifacts' | 'secrets' | 'signal' | 'nowMs'>;

const NO_FAILURE: readonly ExtraCondition[] = Object.freeze([
  { type: 'FetchFailed', status: null },
  { type: 'StorageOperationFailed', status: null },
]);

/**
 * Fetches the commit and stores its tree as an artifact. Idempotent: the same commit and rules give the same digest. A failure of the remote or of
 * the limits is answered as a condition, which the next look turns into the outcome; the last artifact stays.
 */
export async function act(ctx: ActCtx, obj: GitRepositoryObj, action: Act): Promise<Shown<typeof GitRepositoryStatus>> {
  try {
    const built = builtStatus(ctx, obj, action, await build(ctx, obj, action));
    // What an earlier run left behind would otherwise be read as this build's own failure.
    return { status: { ...built, conditions: [...withConditions(ctx, obj, NO_FAILURE)] } };
  } catch (error) {
    const condition = failureCondition(error);
    if (condition === null) throw error;
    return { status: { conditions: [...withConditions(ctx, obj, [...NO_FAILURE, condition, ...outdated(obj, action)])] } };
  }
}

async function build(ctx: ActCtx, obj: GitRepositoryObj, { commit, advertised, within }: Act): Promise<Artifact> {
  const login = await logIn(ctx, obj);
  if (login.is !== 'remote') throw new AppError('gitAuthFailed', login.message);
  const snapshot = await ctx.git.snapshot(
    login.remote,
    { commit, advertised, within },
    { timeoutMs: remoteTimeoutMs(obj.spec), maxBytes: MAX_TREE_BYTES },
    ctx.signal,
  );
  try {
    return await ctx.artifacts.put(
      { tarPath: snapshot.tarPath, ignore: obj.spec.ignore ?? null, maxBytes: MAX_ARTIFACT_BYTES, maxEntries: MAX_ARTIFACT_ENTRIES },
      ctx.signal,
    );
  } finally {
    await snapshot.dispose();
  }
}

function builtStatus(
  ctx: ActCtx,
  { definition, spec, status }: GitRepositoryObj,
  { commit, revision }: Act,
  { digest, sizeBytes }: Artifact,
): Partial<GitRepositoryStatus> {
  const path = `gitrepository/${definition.namespace}/${definition.name}/${commit}.tar.gz`;
  return {
    // The plane hands artifacts to its own workers by digest; there is no file server, hence no http address.
    artifact: { digest, revision, path, url: `weir:${path}`, size: sizeBytes, lastUpdateTime: rfc3339(ctx.nowMs()) },
    // Merged over the status, so rules that were taken away are written as the empty text, which means the same.
    ...(spec.ignore === undefined && status?.observedIgnore === undefined ? {} : { observedIgnore: spec.ignore ?? '' }),
  };
}

function outdated({ status }: GitRepositoryObj, { revision }: Act): readonly ExtraCondition[] {
  if (status?.artifact === undefined || status.artifact.revision === revision) return [];
  return [{ type: 'ArtifactOutdated', status: 'True', reason: 'NewRevision', message: `new upstream revision '${revision}'` }];
}

function failureCondition(error: unknown): ExtraCondition | null {
  const fetch = fetchFailure(error);
  if (fetch !== null) return { type: 'FetchFailed', status: 'True', ...fetch };
  if (!(error instanceof AppError) || (error.code !== 'artifactTooLarge' && error.code !== 'badRequest')) return null;
  return {
    type: 'StorageOperationFailed',
    status: 'True',
    reason: 'ArchiveOperationFailed',
    message: `unable to archive artifact to storage: ${error.message}`,
  };
}

/** Conditions as the runtime writes them while a run goes on, with these beside them. */
function withConditions(ctx: ActCtx, { definition, status }: GitRepositoryObj, extras: readonly ExtraCondition[]) {
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

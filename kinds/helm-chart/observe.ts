import type { ChartVersion } from '#core/charts.ts';
import { AppError } from '#core/errors.ts';
import { textAt } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { StoredObject } from '#core/store.ts';
import { type FetchReason, pullFailure } from './failure.ts';
import { versionsIn } from './registry.ts';
import type { HelmChartSpec, HelmChartStatus } from './schema.ts';
import { isRegistry, logInToRegistry, sourceOf, timeoutMsOf } from './source.ts';
import { unsupportedField, unsupportedSource } from './unsupported.ts';

export type HelmChartObj = Obj<'definition', typeof HelmChartSpec, typeof HelmChartStatus>;
export type HelmChartNeed = 'lookup' | 'secrets' | 'artifacts' | 'charts' | 'registry' | 'sigstore' | 'patterns';

/** What was seen; no credential in it. `isStored`: the artifact of the status is still in storage. */
export type Seen =
  | Readonly<{ at: 'unsupported'; message: string }>
  | Readonly<{ at: 'fetchFailed'; reason: 'SourceUnavailable' | 'NoSourceArtifact' | FetchReason; message: string; retryAfterMs?: number }>
  /** This pass has tried to build; the status tells how it went. */
  | Readonly<{ at: 'built' }>
  /** The source has not moved and neither has the definition, and the artifact is there. */
  | Readonly<{ at: 'unchanged' }>
  | Readonly<{ at: 'repository'; digest: string; revision: string; versions: readonly ChartVersion[]; isStored: boolean }>
  | Readonly<{ at: 'registry'; versions: readonly ChartVersion[]; isStored: boolean }>
  | Readonly<{ at: 'source'; digest: string; revision: string; isStored: boolean }>;

/** Looks at the source and, for a repository, at the versions of the chart in its stored index. Only for a range of versions in a registry a request leaves the plane. */
export async function observe(ctx: Ctx<HelmChartNeed>, obj: HelmChartObj): Promise<Seen> {
  const { spec, definition, status } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  if (obj.done.includes('build')) return { at: 'built' };
  const source = await sourceOf(ctx, obj);
  const shown = `${spec.sourceRef.kind} '${definition.namespace}/${spec.sourceRef.name}'`;
  if (source === null) return { at: 'fetchFailed', reason: 'SourceUnavailable', message: `failed to get source: ${shown} not found` };
  const unsupportedThere = unsupportedSource(source, shown, spec.verify);
  if (unsupportedThere !== null) return { at: 'unsupported', message: unsupportedThere };
  const isStored = status?.artifact !== undefined && (await ctx.artifacts.has(status.artifact.digest));
  if (isRegistry(source)) return lookAtRegistry(ctx, obj, source, isStored);
  const [digest, revision] = [textAt(source.status ?? {}, 'artifact', 'digest'), textAt(source.status ?? {}, 'artifact', 'revision')];
  if (digest === undefined || revision === undefined)
    return { at: 'fetchFailed', reason: 'NoSourceArtifact', message: `no artifact available for ${shown}` };
  if (isStored && status?.observedSourceArtifactRevision === revision && isSettled(obj)) return { at: 'unchanged' };
  if (spec.sourceRef.kind !== 'HelmRepository') return { at: 'source', digest, revision, isStored };
  try {
    const repositoryUrl = textAt(source.body, 'spec', 'url') ?? '';
    const versions = await ctx.charts.versionsOf({ digest, repositoryUrl }, spec.chart, ctx.signal);
    return { at: 'repository', digest, revision, versions, isStored };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
    return { at: 'fetchFailed', reason: 'NoSourceArtifact', message: `the index of ${shown} is not in storage; it is fetched again` };
  }
}

async function lookAtRegistry(ctx: Ctx<HelmChartNeed>, { spec }: HelmChartObj, repository: StoredObject, isStored: boolean): Promise<Seen> {
  const login = await logInToRegistry(ctx, repository, spec.chart);
  if (login.is === 'invalid') return { at: 'fetchFailed', reason: 'InvalidChartReference', message: login.message };
  if (login.is === 'failed') return { at: 'fetchFailed', reason: 'AuthenticationFailed', message: login.message };
  try {
    const place = { remote: login.remote, timeoutMs: timeoutMsOf(repository) };
    return { at: 'registry', versions: await versionsIn(ctx, place, spec.version ?? '*'), isStored };
  } catch (error) {
    const failure = pullFailure(error);
    if (failure === null) throw error;
    return { at: 'fetchFailed', ...failure };
  }
}

/** Whether this generation was built, and nothing failed since. */
function isSettled({ definition, status }: HelmChartObj): boolean {
  if (status?.observedGeneration !== definition.generation) return false;
  return !(status.conditions ?? []).some((one) => one.status === 'True' && ['FetchFailed', 'BuildFailed', 'Stalled'].includes(one.type));
}

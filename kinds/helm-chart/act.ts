import type { ChartBuild } from '#core/charts.ts';
import { conditionsFor, progressing, readConditions } from '#core/conditions.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import { rfc3339 } from '#core/time.ts';
import { type Act, revisionOf } from './decide.ts';
import { type HelmChartNeed, type HelmChartObj, logIn, sourceOf } from './observe.ts';
import type { HelmChartStatus } from './schema.ts';

type Refused = Readonly<{ is: 'refused'; reason: string; message: string }>;
const FETCH: ReadonlySet<string> = Object.freeze(
  new Set(['AuthenticationFailed', 'AccessDenied', 'ChartPullError', 'InvalidChartReference', 'NoSourceArtifact']),
);

/** Downloads or packs the chart and stores it. Idempotent: the same input gives the same digest. What cannot be built is answered as a condition; the last artifact stays. */
export async function act(ctx: Ctx<HelmChartNeed>, obj: HelmChartObj, action: Act): Promise<Shown<typeof HelmChartStatus>> {
  const built = await build(ctx, obj, action);
  return { status: built.is === 'built' ? builtStatus(ctx, obj, action, built) : refusedStatus(ctx, obj, action, built) };
}

async function build(ctx: Ctx<HelmChartNeed>, obj: HelmChartObj, action: Act): Promise<ChartBuild | Refused> {
  const { spec } = obj;
  const options = {
    valuesFiles: spec.valuesFiles ?? [],
    ignoreMissingValuesFiles: spec.ignoreMissingValuesFiles === true,
    versionMetadata: action.metadata,
  };
  try {
    if (action.version === null) return await ctx.charts.fromSource({ digest: action.digest, path: spec.chart }, options, ctx.signal);
    const repository = await sourceOf(ctx, obj);
    if (repository === null) return { is: 'refused', reason: 'NoSourceArtifact', message: 'the repository was deleted meanwhile' };
    const login = await logIn(ctx, repository);
    if (login.is === 'failed') return { is: 'refused', reason: 'AuthenticationFailed', message: login.message };
    return await ctx.charts.fromRepository(login.remote, action.version, options, ctx.signal);
  } catch (error) {
    const refused = refusedBy(error);
    if (refused === null) throw error;
    return refused;
  }
}

function refusedBy(error: unknown): Refused | null {
  if (!(error instanceof AppError)) return null;
  const refused = (reason: string): Refused => ({ is: 'refused', reason, message: error.message });
  switch (error.code) {
    case 'upstreamFailed':
    case 'upstreamTooLarge':
      return refused('ChartPullError');
    case 'upstreamAuthFailed':
      return refused('AuthenticationFailed');
    case 'egressDenied':
      return refused('AccessDenied');
    case 'unavailable':
      return refused('NoSourceArtifact');
    default:
      return null;
  }
}

function builtStatus(
  ctx: Ctx<HelmChartNeed>,
  { definition, spec, status }: HelmChartObj,
  action: Act,
  built: Extract<ChartBuild, { is: 'built' }>,
): Partial<HelmChartStatus> {
  const revision = action.version === null ? built.version : revisionOf(action.version.version, action.metadata);
  const seen = {
    observedSourceArtifactRevision: action.revision,
    observedChartName: action.version === null ? built.name : spec.chart,
    // Merged over the status, so files that were taken away are written as an empty list, which means the same.
    ...(built.valuesFiles.length === 0 && status?.observedValuesFiles === undefined ? {} : { observedValuesFiles: [...built.valuesFiles] }),
    conditions: withConditions(ctx, { definition, status }, ['FetchFailed', 'BuildFailed'].map(gone)),
  };
  const isKept =
    spec.reconcileStrategy !== 'Revision' && status?.artifact?.revision === revision && status.observedGeneration === definition.generation;
  // Strategy ChartVersion: other content under the same version is no new artifact, as long as the old one is there.
  if (isKept && action.version === null && action.isStored) return seen;
  const path = `helmchart/${definition.namespace}/${definition.name}/${built.artifact.digest.replace('sha256:', '')}.tgz`;
  const url = `weir:${path}`;
  const { digest, sizeBytes } = built.artifact;
  return { ...seen, url, artifact: { digest, revision, path, url, size: sizeBytes, lastUpdateTime: rfc3339(ctx.nowMs()) } };
}

function refusedStatus(ctx: Ctx<HelmChartNeed>, obj: HelmChartObj, action: Act, { reason, message }: Refused): Partial<HelmChartStatus> {
  const type = FETCH.has(reason) ? 'FetchFailed' : 'BuildFailed';
  const version = action.version === null ? null : revisionOf(action.version.version, action.metadata);
  const isOther = version !== null && obj.status?.artifact !== undefined && obj.status.artifact.revision !== version;
  const outdated: readonly ExtraCondition[] = isOther
    ? [{ type: 'ArtifactOutdated', status: 'True', reason: 'NewChart', message: `new chart version '${version}'` }]
    : [];
  const others = ['FetchFailed', 'BuildFailed'].filter((one) => one !== type).map(gone);
  return { conditions: withConditions(ctx, obj, [{ type, status: 'True', reason, message }, ...others, ...outdated]) };
}

/** Conditions as the runtime writes them while a run goes on, with these beside them. */
function withConditions(
  ctx: Ctx<HelmChartNeed>,
  { definition, status }: Pick<HelmChartObj, 'definition' | 'status'>,
  extras: readonly ExtraCondition[],
) {
  const previous = readConditions({
    conditions: (status?.conditions ?? []).map((one) => ({ ...one, observedGeneration: one.observedGeneration ?? 0 })),
  });
  const outcome = progressing('building the chart', '', 0);
  return [...conditionsFor({ outcome, extras, previous, generation: definition.generation, nowMs: ctx.nowMs() })];
}

function gone(type: string): ExtraCondition {
  return { type, status: null };
}

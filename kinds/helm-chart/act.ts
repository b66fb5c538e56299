import type { ChartBuild, ChartOptions } from '#core/charts.ts';
import { conditionsFor, progressing, readConditions } from '#core/conditions.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import type { StoredObject } from '#core/store.ts';
import { rfc3339 } from '#core/time.ts';
import { type Act, revisionOf } from './decide.ts';
import { openDependencies } from './dependencies.ts';
import { pullFailure } from './failure.ts';
import type { HelmChartNeed, HelmChartObj } from './observe.ts';
import { fromRegistry } from './registry.ts';
import type { HelmChartStatus } from './schema.ts';
import { isRegistry, logIn, logInToRegistry, sourceOf, timeoutMsOf } from './source.ts';
import { digestCheck } from './verify.ts';

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
  const options: ChartOptions = {
    valuesFiles: spec.valuesFiles ?? [],
    ignoreMissingValuesFiles: spec.ignoreMissingValuesFiles === true,
    versionMetadata: action.metadata,
  };
  try {
    if (action.version === null) return await packSource(ctx, obj, action.digest, options);
    const repository = await sourceOf(ctx, obj);
    if (repository === null) return { is: 'refused', reason: 'NoSourceArtifact', message: 'the repository was deleted meanwhile' };
    if (isRegistry(repository)) return await pullFromRegistry(ctx, obj, repository, action.version.version, options);
    const login = await logIn(ctx, repository);
    if (login.is === 'failed') return { is: 'refused', reason: 'AuthenticationFailed', message: login.message };
    return await ctx.charts.fromRepository(login.remote, action.version, options, ctx.signal);
  } catch (error) {
    const failure = pullFailure(error);
    if (failure === null) throw error;
    return { is: 'refused', reason: failure.reason, message: failure.message };
  }
}

async function packSource(ctx: Ctx<HelmChartNeed>, obj: HelmChartObj, digest: string, options: ChartOptions): Promise<ChartBuild> {
  const dependencies = openDependencies(ctx, obj.definition.namespace);
  try {
    return await ctx.charts.fromSource({ digest, path: obj.spec.chart, bring: dependencies.bring }, options, ctx.signal);
  } finally {
    await dependencies.dispose();
  }
}

async function pullFromRegistry(
  ctx: Ctx<HelmChartNeed>,
  obj: HelmChartObj,
  repository: StoredObject,
  version: string,
  options: ChartOptions,
): Promise<ChartBuild | Refused> {
  const login = await logInToRegistry(ctx, repository, obj.spec.chart);
  if (login.is === 'invalid') return { is: 'refused', reason: 'InvalidChartReference', message: login.message };
  if (login.is === 'failed') return { is: 'refused', reason: 'AuthenticationFailed', message: login.message };
  const place = { remote: login.remote, timeoutMs: timeoutMsOf(repository) };
  return await fromRegistry(ctx, place, { version, check: digestCheck(ctx, obj, place) }, options);
}

function builtStatus(
  ctx: Ctx<HelmChartNeed>,
  { definition, spec, status }: HelmChartObj,
  action: Act,
  built: Extract<ChartBuild, { is: 'built' }>,
): Partial<HelmChartStatus> {
  const revision = action.version === null ? built.version : revisionOf(action.version.version, action.metadata);
  const seen = {
    ...(action.revision === null ? {} : { observedSourceArtifactRevision: action.revision }),
    observedChartName: action.version === null ? built.name : spec.chart,
    // Merged over the status, so files that were taken away are written as an empty list, which means the same.
    ...(built.valuesFiles.length === 0 && status?.observedValuesFiles === undefined ? {} : { observedValuesFiles: [...built.valuesFiles] }),
    conditions: withConditions(ctx, { definition, status }, [...['FetchFailed', 'BuildFailed'].map(gone), signatureOf(spec, revision)]),
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
  const unproven: readonly ExtraCondition[] =
    reason === 'ChartVerificationError' ? [{ type: 'SourceVerified', status: 'False', reason: 'VerificationError', message }] : [];
  return { conditions: withConditions(ctx, obj, [{ type, status: 'True', reason, message }, ...others, ...outdated, ...unproven]) };
}

/** What was built was verified before, where that is asked for. */
function signatureOf({ verify }: HelmChartObj['spec'], revision: string): ExtraCondition {
  if (verify === undefined) return gone('SourceVerified');
  return { type: 'SourceVerified', status: 'True', reason: 'Succeeded', message: `verified signature of version ${revision}` };
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

import { REQUESTED_AT } from '#core/consequences.ts';
import { unreadyDependency } from '#core/dependencies.ts';
import { AppError } from '#core/errors.ts';
import { healthRules } from '#core/health-rules.ts';
import type { ChartFacts, ReleaseName, ReleaseRecord } from '#core/helm.ts';
import type { JsonObject } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import { apiVersionOf } from '#core/resource.ts';
import { type Drifted, driftOf, hasMoved, type Settled, watchedRecords } from './drift.ts';
import { invalidTarget } from './ignored.ts';
import { isMissingOwnChart } from './own-chart.ts';
import { placeOf } from './place.ts';
import { digestOf, isGone, isOurs, shownRecord, snapshotsOf } from './records.ts';
import { resource } from './resource.ts';
import type { HelmReleaseSpec } from './schema.ts';
import { findSource, type Source } from './source.ts';
import type { Wanted } from './state.ts';
import type { HelmReleaseStatus, Snapshot } from './status.ts';
import { FULL_CHECK_MS } from './times.ts';
import { unsupportedField } from './unsupported.ts';
import { valuesOf } from './values.ts';

export type Needs = 'lookup' | 'secrets' | 'helm' | 'cluster' | 'inventory' | 'owned' | 'patterns';
export type HelmReleaseObj = Obj<'delivery', typeof HelmReleaseSpec, typeof HelmReleaseStatus>;
type Blocker =
  | 'unsupported'
  | 'foreign'
  | 'place'
  | 'missing'
  | 'noArtifact'
  | 'dependency'
  | 'expression'
  | 'values'
  | 'chart'
  | 'mutation';

/** What a look at one release on one cluster shows, as far as it got. */
export type Seen =
  | Readonly<{ at: 'blocked'; by: Blocker; message: string; revision: string | null }>
  | Readonly<{ at: 'chart'; why: string }>
  /** Nothing that decides has changed and the watches saw nothing: no request was sent. */
  | Readonly<{ at: 'unchanged'; revision: string }>
  | Looked;

export type Looked = Readonly<{
  at: 'looked';
  place: ReleaseName;
  chart: ChartFacts;
  revision: string;
  /** May hold secret values: never in status, events or messages. */
  values: JsonObject;
  wanted: Wanted;
  /** Records on the cluster, newest first. */
  records: readonly Snapshot[];
  raw: readonly ReleaseRecord[];
  drift: readonly Drifted[];
  settled: readonly Settled[];
  drifted: readonly string[];
  /** A release under another name, in another namespace or of another chart that has to go first. */
  leaving: Readonly<{ place: ReleaseName; why: string }> | null;
  forced: boolean;
  reset: boolean;
  inSync: NonNullable<HelmReleaseStatus['applied']>;
  nowMs: number;
}>;

const API_VERSION = apiVersionOf(resource);
const FORCE_AT = 'reconcile.fluxcd.io/forceAt';
const RESET_AT = 'reconcile.fluxcd.io/resetAt';

/** Reads only: source, dependencies, values; then the watches; and only when something moved the records, the chart, and what differs. */
export async function observe(ctx: Ctx<Needs>, obj: HelmReleaseObj): Promise<Seen> {
  const { definition, spec } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return blocked('unsupported', unsupported);
  const rules = healthRules(spec.healthCheckExprs ?? [], ctx.patterns);
  if (rules.is === 'invalid') return blocked('expression', rules.message);
  const invalid = invalidTarget(ctx.patterns, spec);
  if (invalid !== null) return blocked('place', invalid);
  const place = placeOf(definition, spec, ctx.cluster.namespaces);
  if ('problem' in place) return blocked('place', place.problem);
  const chartNeeds = obj.done.includes('chart') ? null : await isMissingOwnChart(ctx.lookup, obj);
  if (chartNeeds !== null) return chartNeeds.is === 'foreign' ? blocked('foreign', chartNeeds.why) : { at: 'chart', why: chartNeeds.why };
  const source = await findSource(ctx.lookup, definition, spec);
  if (source.is !== 'artifact') return blocked(source.is, source.message);
  const { lookup, patterns } = ctx;
  const dependency = await unreadyDependency(lookup, { definition, apiVersion: API_VERSION, patterns, dependsOn: spec.dependsOn ?? [] });
  if (dependency !== null) return blocked(dependency.by, dependency.message);
  const composed = await valuesOf(ctx, definition.namespace, spec);
  if (composed.is === 'wrong') return blocked('values', composed.message);
  const input = { place, source, values: composed.values, configDigest: await ctx.helm.keyed(digestOf(composed.values)) };
  if (await isQuiet(ctx, obj, input)) return { at: 'unchanged', revision: obj.status?.lastAttemptedRevision ?? source.revision };
  return look(ctx, obj, input);
}

type Input = Readonly<{ place: ReleaseName; source: Extract<Source, { is: 'artifact' }>; values: JsonObject; configDigest: string }>;

function blocked(by: Blocker, message: string): Seen {
  return { at: 'blocked', by, message, revision: null };
}

/** Everything that decides about the release besides what is on the cluster. The generation stands for the spec. */
function inputDigestOf({ definition }: HelmReleaseObj, { place, source, configDigest }: Input): string {
  return digestOf([
    definition.uid,
    definition.generation,
    place.name,
    place.namespace,
    source.digest,
    source.ociDigest ?? '',
    configDigest,
  ]);
}

/** True when the last look found the release in sync with the same input and the watches saw nothing since. */
async function isQuiet(ctx: Ctx<Needs>, obj: HelmReleaseObj, input: Input): Promise<boolean> {
  const { status, definition, spec, done } = obj;
  const asked = definition.annotations[REQUESTED_AT] !== status?.lastHandledReconcileAt;
  const applied = status?.applied;
  if (applied === undefined || asked || done.length > 0 || applied.inputDigest !== inputDigestOf(obj, input)) return false;
  if (ctx.nowMs() - (status?.lastFullCheckMs ?? 0) > FULL_CHECK_MS) return false;
  if (status?.observedGeneration !== definition.generation) return false;
  return !(await hasMoved(ctx, {
    deliveryId: obj.deliveryId,
    place: input.place,
    record: applied.record,
    version: status.history?.[0]?.version ?? 0,
    spec,
  }));
}

async function look(ctx: Ctx<Needs>, obj: HelmReleaseObj, input: Input): Promise<Seen> {
  const { spec, status } = obj;
  const chart = await chartOf(ctx, input.source);
  if ('by' in chart) return blocked(chart.by, chart.message);
  const wanted: Wanted = {
    chartName: chart.name,
    chartVersion: chart.version,
    ociDigest: input.source.ociDigest,
    configDigest: input.configDigest,
    postRenderersDigest: digestOrNone(
      [...(spec.postRenderers ?? [])],
      spec.postRenderers === undefined,
      spec.postRenderStrategy ?? 'combined',
    ),
    commonMetadataDigest: digestOrNone([spec.commonMetadata ?? {}], spec.commonMetadata === undefined, ''),
  };
  const raw = await ctx.helm.records(input.place, ctx.signal);
  const records = await snapshotsOf(ctx.helm, raw);
  const [latest] = raw;
  if (latest !== undefined) await watchedRecords(ctx, obj.deliveryId, input.place);
  const isOwn = latest !== undefined && status?.history?.[0]?.version === latest.version && latest.status === 'deployed';
  const drift = isOwn && looksForDrift(spec) ? await driftOf(ctx, obj, latest) : { drifted: [], settled: [] };
  return {
    at: 'looked',
    place: input.place,
    chart,
    revision: chart.version,
    values: input.values,
    wanted,
    records,
    raw,
    drift: drift.drifted,
    settled: drift.settled,
    drifted: drift.drifted.map((one) => one.shown),
    leaving: await leavingOf(ctx, obj, input.place, records, wanted),
    ...askedFor(obj),
    inSync: {
      inputDigest: inputDigestOf(obj, input),
      record: latest === undefined ? '' : `${latest.secret.uid}/${latest.secret.resourceVersion}`,
      name: input.place.name,
      namespace: input.place.namespace,
    },
    nowMs: ctx.nowMs(),
  };
}

function looksForDrift(spec: HelmReleaseSpec): boolean {
  return (spec.driftDetection?.mode ?? 'disabled') !== 'disabled';
}

function digestOrNone(value: readonly JsonObject[], absent: boolean, beside: string): string {
  return absent ? '' : digestOf([beside, ...value]);
}

export async function chartOf(
  ctx: Ctx<Needs>,
  source: Input['source'],
): Promise<ChartFacts | Readonly<{ by: 'chart' | 'mutation'; message: string }>> {
  try {
    return await ctx.helm.chart(
      source.digest,
      source.ociDigest === null ? null : source.ociDigest.slice('sha256:'.length, 'sha256:'.length + 12),
      ctx.signal,
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'invalid') return { by: 'mutation', message: error.message };
    if (error.code === 'buildFailed' || error.code === 'unavailable')
      return { by: 'chart', message: `could not load the chart: ${error.message}` };
    throw error;
  }
}

/** The release under its former name or namespace, or of its former chart (definitions.md 4.4); null when there is nothing to take away. */
async function leavingOf(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  place: ReleaseName,
  records: readonly Snapshot[],
  wanted: Wanted,
): Promise<Looked['leaving']> {
  const { spec, status } = obj;
  const own = status?.history?.[0];
  if (own === undefined) return null;
  const former = { name: own.name, namespace: own.namespace };
  if (former.name !== place.name || former.namespace !== place.namespace) {
    if (ctx.cluster.namespaces.length > 0 && !ctx.cluster.namespaces.includes(former.namespace)) return null;
    const [latest] = await ctx.helm.records(former, ctx.signal);
    if (latest === undefined || isGone(latest) || !(await isOurs(ctx.helm, obj, latest))) return null;
    return { place: former, why: `release ${shownRecord(latest)} is to become ${place.namespace}/${place.name}` };
  }
  const [latest] = records;
  const renamed = latest !== undefined && !isGone(latest) && latest.chartName !== wanted.chartName;
  if (!renamed || spec.upgrade?.chartNameChangeStrategy === 'InPlaceUpdate') return null;
  return { place, why: `chart ${latest.chartName} is to become ${wanted.chartName}` };
}

/** One forced run, or one reset of the counters: both must equal `requestedAt`, so that an old annotation does nothing (definitions.md 1.5). */
function askedFor({ definition, status, done }: HelmReleaseObj): Readonly<{ forced: boolean; reset: boolean }> {
  const requested = definition.annotations[REQUESTED_AT];
  const isAsked = (key: string, handled: string | undefined): boolean =>
    requested !== undefined && definition.annotations[key] === requested && handled !== requested;
  return {
    forced: isAsked(FORCE_AT, status?.lastHandledForceAt) && !done.includes('install') && !done.includes('upgrade'),
    reset: isAsked(RESET_AT, status?.lastHandledResetAt) && done.length === 0,
  };
}

/** What is echoed once it was handled. */
export function handledAt({ definition }: Pick<HelmReleaseObj, 'definition'>): Partial<HelmReleaseStatus> {
  const force = definition.annotations[FORCE_AT];
  const reset = definition.annotations[RESET_AT];
  const requested = definition.annotations[REQUESTED_AT];
  return {
    ...(force !== undefined && force === requested ? { lastHandledForceAt: force } : {}),
    ...(reset !== undefined && reset === requested ? { lastHandledResetAt: reset } : {}),
  };
}

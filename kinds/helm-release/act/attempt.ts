import { AppError } from '#core/errors.ts';
import type { HelmAction } from '#core/helm.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import { condition, succeeded, without } from '../conditions.ts';
import { historyFrom, type Made } from '../history.ts';
import { type HelmReleaseObj, handledAt, type Looked, type Needs } from '../observe.ts';
import { postRenderer } from '../post-render.ts';
import { snapshotsOf } from '../records.ts';
import { countersOf, ignoresTests } from '../state.ts';
import type { HelmReleaseStatus, Snapshot } from '../status.ts';
import { actionTimeoutMs } from '../times.ts';
import { awaitExpressions } from './await-expressions.ts';
import { applyCrds } from './crds.ts';
import { takeStock } from './take-stock.ts';

type Shows = Shown<typeof HelmReleaseStatus>;
type Kind = 'install' | 'upgrade';

/**
 * Installs or upgrades. How it went is in the status whatever came of it: a failure that left a record counts, one that left none is only said (definitions.md 4.4).
 * Throws what is neither: an unreachable cluster, a lost fence, an unknown result.
 */
export async function attempt(ctx: Ctx<Needs>, obj: HelmReleaseObj, kind: Kind, look: Looked): Promise<Shows> {
  const startedAtMs = ctx.nowMs();
  const before = look.raw[0]?.version ?? 0;
  try {
    await applyCrds(ctx, obj, kind, look);
    await ctx.failpoints.hit('r6');
    await ctx.helm.apply(
      {
        release: look.place,
        chart: look.chart,
        values: look.values,
        labels: { [DELIVERY_LABEL]: obj.deliveryId },
        action: kind === 'install' ? installAction(obj) : upgradeAction(obj),
        postRender: postRenderer(ctx, obj, look.place),
      },
      ctx.signal,
    );
    await ctx.failpoints.hit('r8');
    await awaitExpressions(ctx, obj, kind, look, startedAtMs);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return failed(ctx, obj, kind, look, { startedAtMs, before, why: error.message });
  }
  const { records, made } = await recordsNow(ctx, obj, kind, look, before);
  const status = await takeStock(ctx, obj, records.raw);
  const [current] = made;
  return {
    status: {
      ...attemptOf(obj, kind, look, ctx.nowMs() - startedAtMs),
      ...status,
      history: made,
      failures: 0,
      installFailures: 0,
      upgradeFailures: 0,
      storageNamespace: look.place.namespace,
      observedPostRenderersDigest: look.wanted.postRenderersDigest,
      observedCommonMetadataDigest: look.wanted.commonMetadataDigest,
    },
    conditions: [
      condition('Released', 'True', SUCCEEDED[kind], current === undefined ? '' : succeeded(SUCCEEDED[kind], current)),
      ...without('Remediated', 'TestSuccess', 'Drifted'),
    ],
    revision: look.revision,
  };
}

const SUCCEEDED = Object.freeze({ install: 'InstallSucceeded', upgrade: 'UpgradeSucceeded' } as const);
const FAILED = Object.freeze({ install: 'InstallFailed', upgrade: 'UpgradeFailed' } as const);

/** What the chart, its values or the cluster's answer are to blame for; the rest says nothing about the release. */
export function isFailure(error: unknown): error is AppError {
  return error instanceof AppError && ['clusterAnswer', 'buildFailed', 'invalid'].includes(error.code);
}

type Failure = Readonly<{ startedAtMs: number; before: number; why: string }>;

async function failed(ctx: Ctx<Needs>, obj: HelmReleaseObj, kind: Kind, look: Looked, failure: Failure): Promise<Shows> {
  const { generation } = obj.definition;
  const { made, counted } = await recordsNow(ctx, obj, kind, look, failure.before);
  const counters = countersOf(obj.status, { generation, wanted: look.wanted, reset: look.reset });
  const one = counted ? 1 : 0;
  const name = `${look.place.namespace}/${look.place.name}`;
  const message = `Helm ${kind} failed for release ${name} with chart ${look.chart.name}@${look.chart.version}: ${failure.why}`;
  const released: ExtraCondition = condition('Released', 'False', FAILED[kind], message);
  return {
    status: {
      ...attemptOf(obj, kind, look, ctx.nowMs() - failure.startedAtMs),
      history: made,
      failures: counters.failures + 1,
      installFailures: counters.installFailures + (kind === 'install' ? one : 0),
      upgradeFailures: counters.upgradeFailures + (kind === 'upgrade' ? one : 0),
    },
    conditions: [released, ...without('Remediated', 'TestSuccess')],
    revision: look.revision,
  };
}

async function recordsNow(ctx: Ctx<Needs>, obj: HelmReleaseObj, kind: Kind, look: Looked, before: number) {
  const raw = await ctx.helm.records(look.place, ctx.signal);
  const snapshots = await snapshotsOf(ctx.helm, raw);
  const version = snapshots[0]?.version ?? 0;
  const counted = version > before;
  const made: Made | null = counted
    ? { version, configDigest: look.wanted.configDigest, ociDigest: look.wanted.ociDigest, action: kind }
    : null;
  const history: Snapshot[] = historyFrom(obj.status?.history ?? [], snapshots, made, ignoresTests(obj.spec, obj.status));
  return { records: { raw }, made: history, counted };
}

function attemptOf(obj: HelmReleaseObj, kind: Kind, { wanted }: Looked, durationMs: number): Partial<HelmReleaseStatus> {
  const noted = obj.status?.lastAttemptedRevisionDigest !== undefined || wanted.ociDigest !== null;
  return {
    lastAttemptedGeneration: obj.definition.generation,
    lastAttemptedRevision: wanted.chartVersion,
    ...(noted ? { lastAttemptedRevisionDigest: wanted.ociDigest ?? '' } : {}),
    lastAttemptedConfigDigest: wanted.configDigest,
    lastAttemptedReleaseAction: kind,
    lastAttemptedReleaseActionDuration: `${(durationMs / 1_000).toFixed(3)}s`,
    ...handledAt(obj),
  };
}

function waitOf(obj: HelmReleaseObj, kind: Kind) {
  const options = obj.spec[kind];
  return {
    timeoutMs: actionTimeoutMs(obj.spec, kind),
    disableHooks: options?.disableHooks ?? false,
    disableWait: options?.disableWait ?? false,
    disableWaitForJobs: options?.disableWaitForJobs ?? false,
    waitStrategy: obj.spec.waitStrategy?.name ?? 'poller',
    disableOpenAPIValidation: options?.disableOpenAPIValidation ?? false,
    disableSchemaValidation: options?.disableSchemaValidation ?? false,
    disableTakeOwnership: options?.disableTakeOwnership ?? false,
    // Ours to apply, by the policy of `crds`.
    skipCrds: true,
  } as const;
}

export function installAction(obj: HelmReleaseObj): Extract<HelmAction, { do: 'install' }> {
  const { install } = obj.spec;
  return {
    ...waitOf(obj, 'install'),
    do: 'install',
    replace: install?.replace ?? false,
    createNamespace: install?.createNamespace ?? false,
    serverSideApply: install?.serverSideApply ?? true,
  };
}

export function upgradeAction(obj: HelmReleaseObj): Extract<HelmAction, { do: 'upgrade' }> {
  const { upgrade, maxHistory } = obj.spec;
  return {
    ...waitOf(obj, 'upgrade'),
    do: 'upgrade',
    preserveValues: upgrade?.preserveValues ?? false,
    force: upgrade?.force ?? false,
    cleanupOnFail: upgrade?.cleanupOnFail ?? false,
    serverSide: upgrade?.serverSideApply ?? 'auto',
    maxHistory: maxHistory ?? 5,
  };
}

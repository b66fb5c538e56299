import type { Judged, Shown } from '#core/kind.ts';
import { describeRef, refOfId } from '#core/object-id.ts';
import type { Health, LiveMeta } from '#core/ports.ts';
import type { Leaving } from '#core/prune-guard.ts';
import type { InventoryEntry } from '#core/store.ts';
import type { Desired } from './desired.ts';
import { withSnapshot } from './history.ts';
import type { KustomizationObj, Seen } from './observe.ts';
import type { KustomizationStatus } from './schema.ts';
import { DEPENDENCY_AGAIN_MS, EXPRESSION_AGAIN_MS, retryMs, timeoutMs } from './times.ts';

export type Act =
  | Readonly<{ do: 'apply'; objects: readonly Desired[]; revision: string }>
  | Readonly<{ do: 'note'; settled: readonly Readonly<{ desired: Desired; live: LiveMeta }>[]; forget: readonly string[] }>
  | Readonly<{ do: 'prune'; leaving: readonly Leaving[]; forget: readonly string[] }>;

type Verdict = Act | Judged<typeof KustomizationStatus>;
type Rendered = Extract<Seen, { at: 'rendered' }>;

/** How often a delete that the API server accepted but did not finish is looked at again. */
const TERMINATING_AGAIN_MS = 10_000;

/** The next thing to do for one Kustomization on one cluster. Pure; the whole order of a run is this function. */
export function decide(obj: KustomizationObj, seen: Seen, nowMs: number): Verdict {
  if (seen.at === 'blocked') return blocked(obj, seen);
  if (seen.plan.conflicts.length > 0) return conflict(obj, seen);
  if (seen.apply.length > 0 && !obj.done.includes('apply')) return { do: 'apply', objects: seen.apply, revision: seen.revision };
  const pruning = obj.spec.prune && seen.plan.prune.length > 0;
  const open = seen.prune.guard === null || seen.prune.approved;
  if (pruning && open && !obj.done.includes('prune')) return { do: 'prune', leaving: seen.plan.prune, forget: seen.plan.forget };
  if ((seen.settled.length > 0 || seen.plan.forget.length > 0) && !obj.done.includes('note') && !obj.done.includes('prune'))
    return { do: 'note', settled: seen.settled, forget: seen.plan.forget };
  if (pruning && !open) return approvalNeeded(seen);
  return healthOf(obj, seen, nowMs) ?? ready(obj, seen, nowMs);
}

function blocked({ spec }: KustomizationObj, seen: Extract<Seen, { at: 'blocked' }>): Verdict {
  const { message } = seen;
  const shown = seen.revision === null ? {} : { shown: { status: { lastAttemptedRevision: seen.revision }, revision: seen.revision } };
  switch (seen.by) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message };
    case 'foreign':
      return { is: 'stalled', reason: 'AccessDenied', message };
    case 'expression':
      return { is: 'stalled', reason: 'InvalidCELExpression', message };
    case 'missing':
      return { is: 'failed', reason: 'ArtifactFailed', message, retryAfterMs: retryMs(spec) };
    case 'noArtifact':
      return { is: 'waiting', reason: 'ArtifactFailed', message, afterMs: DEPENDENCY_AGAIN_MS };
    case 'dependency':
      return { is: 'waiting', reason: 'DependencyNotReady', message, afterMs: DEPENDENCY_AGAIN_MS, ...shown };
  }
}

function conflict({ spec }: KustomizationObj, seen: Rendered): Verdict {
  const [first] = seen.plan.conflicts;
  const named = first === undefined ? '' : describeRef(first.desired.ref);
  const message = `${named} belongs to another Kustomization already (delivery ${first?.owner ?? ''}): remove it from one of the two; nothing was applied`;
  return { is: 'failed', reason: 'ReconciliationFailed', message, retryAfterMs: retryMs(spec), shown: attempted(seen) };
}

function attempted(seen: Rendered): Shown<typeof KustomizationStatus> {
  return {
    status: { lastAttemptedRevision: seen.revision },
    revision: seen.revision,
    ...(seen.originRevision === null ? {} : { originRevision: seen.originRevision }),
    artifactDigest: seen.artifactDigest,
    renderDigest: seen.rendered.digest,
  };
}

function approvalNeeded(seen: Rendered): Verdict {
  const { digest, guard } = seen.prune;
  const count = seen.plan.prune.length;
  const named = seen.plan.prune
    .slice(0, 5)
    .map((one) => describeRef(one.ref))
    .join(', ');
  const message = `Pruning ${count} objects waits for approval because ${guard ?? ''}: ${named}${count > 5 ? ', …' : ''}. To go on, annotate the Kustomization with weir.dev/approve-prune=${digest}`;
  const shown = attempted(seen);
  return {
    is: 'waiting',
    reason: 'PruneApprovalRequired',
    message,
    afterMs: 10 * 60_000,
    shown: {
      ...shown,
      status: {
        ...shown.status,
        lastAppliedRevision: seen.revision,
        inventory: inventoryStatus(seen.inventory),
        prunePlan: { digest, count, reason: guard ?? '' },
      },
    },
  };
}

/** Null when nothing is to be waited for, or everything is as it should be. */
function healthOf(obj: KustomizationObj, seen: Rendered, nowMs: number): Verdict | null {
  if (seen.health === null) return null;
  const failed = seen.health.filter((one) => one.is === 'failed');
  const pending = seen.health.filter((one) => one.is !== 'current' && one.is !== 'failed');
  if (failed.length === 0 && pending.length === 0) return null;
  const limitMs = timeoutMs(obj.spec);
  const since = obj.status?.healthSince?.digest === seen.rendered.digest ? obj.status.healthSince.sinceMs : nowMs;
  const shown = attempted(seen);
  const status = {
    ...shown.status,
    inventory: inventoryStatus(seen.inventory),
    healthSince: { digest: seen.rendered.digest, sinceMs: since },
  };
  if (failed.length > 0 || nowMs - since >= limitMs) {
    const cause = failed.length > 0 ? `health check failed: ${list(failed)}` : `timeout waiting for: ${list(pending)}`;
    const message = `Health check failed after ${Math.round((nowMs - since) / 1000)}s: ${cause}`;
    return {
      is: 'failed',
      reason: 'HealthCheckFailed',
      message,
      retryAfterMs: retryMs(obj.spec),
      shown: { ...shown, status, conditions: [{ type: 'Healthy', status: 'False', reason: 'HealthCheckFailed', message }] },
    };
  }
  const message = `Running health checks for revision ${seen.revision} with a timeout of ${limitMs / 1000}s: ${list(pending)}`;
  // No watch sees what an expression makes of an object.
  const againMs = pending.some((one) => one.byExpression === true) ? EXPRESSION_AGAIN_MS : 30_000;
  const afterMs = Math.max(1_000, Math.min(limitMs - (nowMs - since), againMs));
  return {
    is: 'waiting',
    reason: 'Progressing',
    message,
    afterMs,
    shown: { ...shown, status, conditions: [{ type: 'Healthy', status: 'Unknown', reason: 'Progressing', message }] },
  };
}

function list(health: readonly Health[]): string {
  const named = health.slice(0, 5).map((one) => `${shownId(one.id)} (${one.message})`);
  return `${named.join(', ')}${health.length > 5 ? ` and ${health.length - 5} more` : ''}`;
}

function shownId(id: string): string {
  const ref = refOfId(id, '');
  return ref === null ? id : describeRef(ref);
}

function ready(obj: KustomizationObj, seen: Rendered, nowMs: number): Verdict {
  const message = `Applied revision: ${seen.revision}`;
  const shown = attempted(seen);
  const acted = obj.done.length > 0 || obj.status?.lastAppliedRevision !== seen.revision;
  const metadata = { revision: seen.revision, ...(seen.originRevision === null ? {} : { originRevision: seen.originRevision }) };
  const history = acted
    ? withSnapshot(obj.status?.history ?? [], seen.rendered.digest, 'ReconciliationSucceeded', metadata, nowMs)
    : (obj.status?.history ?? []);
  const status = {
    ...shown.status,
    lastAppliedRevision: seen.revision,
    ...(seen.originRevision === null ? {} : { lastAppliedOriginRevision: seen.originRevision }),
    inventory: inventoryStatus(seen.inventory),
    history,
    renderDigest: seen.rendered.digest,
    healthSince: { digest: '', sinceMs: 0 },
    prunePlan: { digest: '', count: 0, reason: '' },
    ...(seen.full ? { lastFullCheckMs: nowMs } : {}),
  };
  const healthy =
    seen.health === null
      ? ({ type: 'Healthy', status: null } as const)
      : ({
          type: 'Healthy',
          status: 'True',
          reason: 'Succeeded',
          message: `Health check passed for ${seen.health.length} objects`,
        } as const);
  const terminating = seen.plan.prune.length > 0 && obj.spec.prune ? { againAfterMs: TERMINATING_AGAIN_MS } : {};
  return {
    is: 'ready',
    reason: 'ReconciliationSucceeded',
    message,
    revision: seen.revision,
    ...terminating,
    shown: { ...shown, status, conditions: [healthy] },
  };
}

function inventoryStatus(inventory: readonly InventoryEntry[]): NonNullable<KustomizationStatus['inventory']> {
  return { entries: inventory.map((entry) => ({ id: entry.id, v: entry.version })) };
}

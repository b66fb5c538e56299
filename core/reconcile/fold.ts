import { type Condition, conditionsFor, readConditions } from '../conditions.ts';
import { REQUESTED_AT } from '../consequences.ts';
import { at, type JsonObject, textAt } from '../json.ts';
import type { ExtraCondition, Outcome, Reason } from '../outcome.ts';
import type { StoredObject } from '../store.ts';

/** Ours alone: never shown on a Flux kind, which carries no extensions (kube-api.md T15). */
const OURS: readonly string[] = Object.freeze(['healthSince', 'driftMode', 'prunePlan', 'lastFullCheckMs', 'renderDigest', 'applied']);
const MAX_NAMED = 5;

type Fold = (definition: StoredObject, deliveries: readonly StoredObject[]) => JsonObject;

/**
 * The definition's status from its deliveries (conventions.md section 2). One delivery shows through as Flux would write it; many become counts, the worst
 * reason and the names of those that are not ready; none says what to write so that there is one. Pure; the only roll-up function.
 */
export function foldFor(kind: string): Fold {
  return (definition, deliveries) => {
    const [only] = deliveries;
    if (only === undefined) return definition.status ?? {};
    const folded = deliveries.length === 1 ? through(definition, only) : many(definition, deliveries);
    return withoutOurs(folded, kind);
  };
}

function through(definition: StoredObject, delivery: StoredObject): JsonObject {
  return { ...keep(definition), ...(delivery.status ?? {}) };
}

/** The definition's own `lastHandledReconcileAt` is echoed by whoever handled it. */
function keep(definition: StoredObject): JsonObject {
  const handled = textAt(definition.status ?? {}, 'lastHandledReconcileAt');
  return handled === undefined ? { observedGeneration: -1 } : { observedGeneration: -1, lastHandledReconcileAt: handled };
}

type Standing = 'ready' | 'waiting' | 'failed' | 'stalled' | 'unknown';

function many(definition: StoredObject, deliveries: readonly StoredObject[]): JsonObject {
  const standings = deliveries.map((delivery) => ({ delivery, standing: standingOf(definition, delivery), ready: ready(delivery) }));
  const notReady = standings.filter((one) => one.standing !== 'ready');
  const outcome = outcomeOf(standings.length, notReady, commonRevision(deliveries));
  const previous = readConditions(definition.status);
  const nowMs = Math.max(...deliveries.map((one) => Date.parse(ready(one)?.lastTransitionTime ?? '') || 0), 0);
  const extras: readonly ExtraCondition[] = healthyOf(deliveries);
  const first = deliveries[0]?.status ?? {};
  const shared: Record<string, JsonObject[string]> = {};
  for (const key of ['helmChart', 'storageNamespace', 'lastAttemptedRevision', 'lastAppliedRevision', 'lastAppliedOriginRevision']) {
    const value = at(first, key);
    if (value !== undefined && deliveries.every((one) => at(one.status ?? {}, key) === value)) shared[key] = value;
  }
  const handled = definition.annotations[REQUESTED_AT];
  const allHandled = handled !== undefined && deliveries.every((one) => textAt(one.status ?? {}, 'lastHandledReconcileAt') === handled);
  const lastHandled = allHandled ? handled : textAt(definition.status ?? {}, 'lastHandledReconcileAt');
  return {
    ...shared,
    conditions: conditionsFor({ outcome, extras, previous, generation: definition.generation, nowMs }) as unknown as JsonObject[],
    observedGeneration:
      outcome.is === 'ready' || outcome.is === 'stalled'
        ? definition.generation
        : (at(definition.status ?? {}, 'observedGeneration') ?? -1),
    ...(lastHandled === undefined ? {} : { lastHandledReconcileAt: lastHandled }),
  };
}

function standingOf(definition: StoredObject, delivery: StoredObject): Standing {
  const conditions = readConditions(delivery.status);
  const shown = conditions.find((one) => one.type === 'Ready');
  if (shown === undefined) return 'waiting';
  if (conditions.some((one) => one.type === 'Stalled')) return 'stalled';
  if (shown.status === 'True') return at(delivery.status ?? {}, 'observedGeneration') === definition.generation ? 'ready' : 'waiting';
  if (shown.reason === 'ClusterUnreachable') return 'unknown';
  return shown.status === 'Unknown' ? 'waiting' : 'failed';
}

type Stood = Readonly<{ delivery: StoredObject; standing: Standing; ready: Condition | null }>;

function outcomeOf(total: number, notReady: readonly Stood[], revision: string | null): Outcome {
  if (notReady.length === 0) {
    const message = revision === null ? `Applied on ${total} clusters` : `Applied revision: ${revision} (${total} clusters)`;
    return { is: 'ready', reason: 'ReconciliationSucceeded', message, revision: revision ?? '' };
  }
  const worst = (['stalled', 'failed', 'unknown', 'waiting'] as const)
    .map((standing) => notReady.find((one) => one.standing === standing))
    .find((one) => one !== undefined);
  const named = notReady
    .slice(0, MAX_NAMED)
    .map((one) => clusterOf(one.delivery))
    .join(', ');
  const more = notReady.length > MAX_NAMED ? ` and ${notReady.length - MAX_NAMED} more` : '';
  const detail = worst?.ready === undefined || worst.ready === null ? 'not reconciled yet' : worst.ready.message;
  const message = `${total - notReady.length} of ${total} clusters ready; not ready: ${named}${more}. ${clusterOf(worst?.delivery)}: ${detail}`;
  const reason = (worst?.ready?.reason ?? 'Progressing') as Reason;
  if (worst?.standing === 'failed' || worst?.standing === 'unknown') return { is: 'failed', reason, message };
  if (notReady.every((one) => one.standing === 'stalled')) return { is: 'stalled', reason, message };
  if (worst?.standing === 'stalled') return { is: 'failed', reason, message };
  return { is: 'waiting', reason: worst?.ready === null || worst?.ready?.status !== 'False' ? 'Progressing' : reason, message, afterMs: 0 };
}

function clusterOf(delivery: StoredObject | undefined): string {
  return delivery === undefined ? '' : (textAt(delivery.body, 'spec', 'cluster', 'name') ?? delivery.name);
}

function commonRevision(deliveries: readonly StoredObject[]): string | null {
  const revisions = new Set(
    deliveries.map((one) => textAt(one.status ?? {}, 'lastAppliedRevision') ?? textAt(one.status ?? {}, 'lastAttemptedRevision') ?? ''),
  );
  const [only] = revisions;
  return revisions.size === 1 && only !== undefined && only !== '' ? only : null;
}

function ready(delivery: StoredObject): Condition | null {
  return readConditions(delivery.status).find((one) => one.type === 'Ready') ?? null;
}

function healthyOf(deliveries: readonly StoredObject[]): readonly ExtraCondition[] {
  const healthy = deliveries.map((one) => readConditions(one.status).find((condition) => condition.type === 'Healthy'));
  if (healthy.every((one) => one === undefined)) return [{ type: 'Healthy', status: null }];
  const bad = healthy.find((one) => one !== undefined && one.status !== 'True');
  if (bad !== undefined) return [{ type: 'Healthy', status: bad.status, reason: bad.reason, message: bad.message }];
  return [{ type: 'Healthy', status: 'True', reason: 'Succeeded', message: `Health checks passed on ${deliveries.length} clusters` }];
}

function withoutOurs(status: JsonObject, kind: string): JsonObject {
  if (kind === 'Delivery') return status;
  return Object.fromEntries(Object.entries(status).filter(([key]) => !OURS.includes(key)));
}

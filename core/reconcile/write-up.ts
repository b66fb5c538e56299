import type { TSchema } from 'typebox';
import { conditionsFor, readConditions } from '../conditions.ts';
import { REQUESTED_AT } from '../consequences.ts';
import type { JsonObject } from '../json.ts';
import { at, canonicalJson, textAt } from '../json.ts';
import type { Judged, Shown } from '../kind.ts';
import { apiVersionOf } from '../resource.ts';
import {
  EVERY_NAME,
  type EventEntry,
  type LedgerEntry,
  type ObjectResult,
  type OutboxEntry,
  type Run,
  type StoredObject,
} from '../store.ts';
import { retryInMs } from './backoff.ts';
import { foldFor } from './fold.ts';
import type { Runnable } from './runnable.ts';
import type { Commit, LoadedUnit } from './store.ts';

/** Everything a finished run knows. */
export type Finished = Readonly<{
  run: Run;
  unit: LoadedUnit;
  runnable: Runnable;
  judged: Judged<TSchema>;
  /** Status of the unit as saved so far in this run. */
  status: JsonObject;
  statusAtStart: JsonObject;
  objects: readonly ObjectResult[];
  acted: boolean;
  startedAtMs: number;
  nowMs: number;
}>;

/** Step 6 and 7 of the runtime: the whole commit from an outcome. Pure. */
export function writeUp(finished: Finished): Commit {
  const { unit, runnable, judged, run } = finished;
  const { definition } = unit;
  const status = finalStatus(finished);
  const failures = judged.is === 'failed' ? run.failures + 1 : 0;
  return {
    status,
    fold: unit.delivery === null ? null : foldFor(runnable.resource.kind),
    event: eventOf(finished, status),
    ledger: worthLedger(finished) ? ledgerOf(finished) : null,
    dueInMs: dueInMs(judged, failures, () => runnable.intervalMs(definition)),
    failures,
    outbox: outboxOf(finished, status),
    artifact: artifactOf(finished, status),
  };
}

/** The unit's status with what was shown and the conditions of the outcome. observedGeneration moves only when ready or stalled (definitions.md 1.6). */
export function finalStatus({ unit, judged, status, nowMs }: Pick<Finished, 'unit' | 'judged' | 'status' | 'nowMs'>): JsonObject {
  const { definition } = unit;
  const dropped: ReadonlySet<string> = new Set(judged.shown?.without ?? []);
  const kept = Object.fromEntries(Object.entries(status).filter(([key]) => !dropped.has(key)));
  const shown = { ...kept, ...(judged.shown?.status ?? {}) };
  const conditions = conditionsFor({
    outcome: judged,
    extras: judged.shown?.conditions ?? [],
    previous: readConditions(status),
    generation: definition.generation,
    nowMs,
  });
  const requestedAt = definition.annotations[REQUESTED_AT];
  const settled = judged.is === 'ready' || judged.is === 'stalled';
  return {
    ...shown,
    conditions: conditions as unknown as JsonObject['conditions'] & JsonObject[],
    ...(settled ? { observedGeneration: definition.generation } : {}),
    ...(requestedAt === undefined ? {} : { lastHandledReconcileAt: requestedAt }),
  };
}

/** A stalled unit may have a spec that nobody can read: its interval is not asked for. */
function dueInMs(judged: Judged<TSchema>, failures: number, intervalMs: () => number | null): number | null {
  switch (judged.is) {
    case 'ready':
      return judged.againAfterMs ?? intervalMs();
    case 'waiting':
      return judged.afterMs;
    case 'failed':
      return retryInMs(judged, failures, intervalMs());
    case 'stalled':
      return null;
  }
}

function eventOf(finished: Finished, status: JsonObject): EventEntry | null {
  const { judged, unit, runnable, statusAtStart } = finished;
  if (judged.is === 'waiting') return null;
  const before = readyText(statusAtStart);
  if (!finished.acted && before === readyText(status)) return null;
  const { definition, delivery } = unit;
  const cluster = delivery === null ? null : textAt(delivery.body, 'spec', 'cluster', 'name');
  const shown = judged.shown;
  const { group } = runnable.resource;
  return {
    kind: definition.kind,
    apiVersion: apiVersionOf(runnable.resource),
    namespace: definition.namespace,
    name: definition.name,
    uid: definition.uid,
    type: judged.is === 'ready' ? 'Normal' : 'Warning',
    reason: judged.reason,
    message: cluster === null || cluster === undefined ? judged.message : `${cluster}: ${judged.message}`,
    annotations: {
      ...(shown?.revision === undefined ? {} : { [`${group}/revision`]: shown.revision }),
      ...(cluster === null || cluster === undefined ? {} : { 'weir.dev/cluster': cluster }),
    },
  };
}

function readyText(status: JsonObject): string {
  const ready = readConditions(status).find((one) => one.type === 'Ready');
  return ready === undefined ? '' : `${ready.status} ${ready.reason} ${ready.message}`;
}

/** A run that looked and found nothing to do is not an attempt. */
function worthLedger({ unit, acted, judged, objects }: Finished): boolean {
  return unit.delivery !== null && (acted || objects.length > 0 || judged.is === 'failed' || judged.is === 'stalled');
}

function ledgerOf({ run, judged, objects, startedAtMs, nowMs, status }: Finished): LedgerEntry {
  const shown: Shown<TSchema> = judged.shown ?? {};
  return {
    cause: run.cause,
    actor: run.cause.startsWith('user:') ? run.cause.slice('user:'.length) : 'weir',
    revision: shown.revision ?? textAt(status, 'lastAttemptedRevision') ?? null,
    originRevision: shown.originRevision ?? null,
    artifactDigest: shown.artifactDigest ?? null,
    renderDigest: shown.renderDigest ?? null,
    outcome: judged.is,
    reason: judged.reason,
    message: judged.message.slice(0, 4_000),
    objects,
    durationMs: nowMs - startedAtMs,
  };
}

function outboxOf({ unit, judged, statusAtStart }: Finished, status: JsonObject): readonly OutboxEntry[] {
  const { definition, delivery } = unit;
  const { kind, namespace, name } = definition;
  const entries: OutboxEntry[] = [];
  const moved = (path: readonly string[]): boolean =>
    canonicalJson(at(status, ...path) ?? null) !== canonicalJson(at(statusAtStart, ...path) ?? null);
  if (delivery === null && PRODUCTS.some(moved)) entries.push({ what: 'wake', kind, namespace, name, on: 'artifact' });
  // Automations select policies by label, and what opens pull requests selects automations: they refer to all of a namespace.
  if (delivery === null && (moved(CHOSEN) || moved(PUSHED)))
    entries.push({ what: 'wake', kind, namespace, name: EVERY_NAME, on: 'artifact' });
  if (judged.is === 'ready' && becameReady(statusAtStart, status)) entries.push({ what: 'wake', kind, namespace, name, on: 'ready' });
  return entries;
}

/** What others work with: an artifact, several composed ones, the tags of a scan, the choice of a policy, the commit of an automation. */
const CHOSEN: readonly string[] = Object.freeze(['latestRef']);
const PUSHED: readonly string[] = Object.freeze(['lastPushCommit']);
const PRODUCTS: readonly (readonly string[])[] = Object.freeze([['artifact'], ['outputs'], ['lastScanResult', 'revision'], CHOSEN, PUSHED]);

function becameReady(before: JsonObject, after: JsonObject): boolean {
  const was = readConditions(before).find((one) => one.type === 'Ready')?.status === 'True';
  const moved =
    textAt(before, 'lastAppliedRevision') !== textAt(after, 'lastAppliedRevision') ||
    at(before, 'observedGeneration') !== at(after, 'observedGeneration');
  return !was || moved;
}

function artifactOf({ unit, statusAtStart }: Finished, status: JsonObject): Commit['artifact'] {
  if (unit.delivery !== null) return null;
  const digest = textAt(status, 'artifact', 'digest');
  const revision = textAt(status, 'artifact', 'revision');
  const sizeBytes = at(status, 'artifact', 'size');
  if (digest === undefined || revision === undefined) return null;
  if (digest === textAt(statusAtStart, 'artifact', 'digest') && revision === textAt(statusAtStart, 'artifact', 'revision')) return null;
  return { digest, revision, sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : 0 };
}

export function statusOf(object: StoredObject | null): JsonObject {
  return object?.status ?? {};
}

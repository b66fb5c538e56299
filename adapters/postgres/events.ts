import { createHash, randomUUID } from 'node:crypto';
import { textAt } from '#core/json.ts';
import type { EventEntry } from '#core/store.ts';
import { parseRfc3339, rfc3339 } from '#core/time.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import { noConsequences, type ObjectWrite } from './objects.ts';
import { numberOf, onlyRow } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/** Repeats are written at most this often (kube-api 7.3). */
const repeatMs = 10_000;
const component = 'weir';

/**
 * The write of a core/v1 Event about an object: a new one, or a raised count for the same object, reason and message; nothing within 10 s of the last.
 * Locks the Event's row. Times are the database's.
 */
export async function eventWrite(tx: TenantTx, event: EventEntry): Promise<readonly ObjectWrite[]> {
  const name = nameOf(event);
  const [rows, clock] = await Promise.all([
    tx.query(
      `select ${objectColumns} from weir.objects where tenant_id = $1 and kind = 'Event' and namespace = $2 and name = $3 for update`,
      [tx.tenantId, event.namespace, name],
    ),
    tx.query('select clock_timestamp() as now'),
  ]);
  const nowMs = numberOf(onlyRow(clock), 'now');
  const [row] = rows;
  if (row === undefined) return [{ do: 'insert', object: newEvent(event, name, nowMs), consequences: noConsequences }];
  const before = objectOfRow(row);
  const lastMs = parseRfc3339(textAt(before.body, 'lastTimestamp') ?? '') ?? 0;
  if (nowMs - lastMs < repeatMs) return [];
  const count = before.body['count'];
  const body = { ...before.body, count: (typeof count === 'number' ? count : 1) + 1, lastTimestamp: rfc3339(nowMs) };
  return [{ do: 'update', before, after: { ...before, body, annotations: event.annotations }, consequences: noConsequences }];
}

function nameOf(event: EventEntry): string {
  const same = JSON.stringify([event.kind, event.namespace, event.name, event.uid, event.type, event.reason, event.message]);
  return `${event.name.slice(0, 230)}.${createHash('sha256').update(same).digest('hex').slice(0, 16)}`;
}

function newEvent(event: EventEntry, name: string, nowMs: number) {
  const at = rfc3339(nowMs);
  return {
    kind: 'Event',
    uid: randomUUID(),
    namespace: event.namespace,
    name,
    generation: 1,
    createdAtMs: Math.floor(nowMs / 1000) * 1000,
    labels: {},
    annotations: event.annotations,
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: {
      involvedObject: { apiVersion: event.apiVersion, kind: event.kind, namespace: event.namespace, name: event.name, uid: event.uid },
      type: event.type,
      reason: event.reason,
      message: event.message,
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
      source: { component },
      reportingComponent: component,
      reportingInstance: component,
    },
    status: null,
    createdBy: component,
    refs: [],
    unit: null,
  };
}

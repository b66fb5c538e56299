import { appendAudit } from '#adapters/postgres/audit.ts';
import { writeObjects } from '#adapters/postgres/object-writes.ts';
import { getObject, listObjects, type ObjectWrite } from '#adapters/postgres/objects.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { consequencesOf, REQUESTED_AT } from '#core/consequences.ts';
import { AppError } from '#core/errors.ts';
import type { StoredObject } from '#core/store.ts';
import { type Clock, rfc3339Millis } from '#core/time.ts';
import type { ReceiverSpec } from '#kinds/receiver/schema.ts';
import { faceOf, resourceOf } from '#kinds/registry.ts';

type Target = ReceiverSpec['resources'][number];
export type Woken = Readonly<{ woken: number; missing: number }>;

/** Most objects that one call may wake: a bounded transaction, whatever the labels match. */
const maxObjects = 500;
const pageSize = 500;
const maxPages = 20;

/**
 * Makes what a receiver names due at once: a new `requestedAt`, as Flux does, and a trigger with cause `webhook`, all in the caller's transaction with one audit entry.
 * Names and labels are compared as they are; nothing of the payload takes part (threats G4). Objects of other tenants look missing. Throws AppError conflict
 * when one changed in between: repeat the transaction.
 */
export async function wakeTargets(
  tx: TenantTx,
  clock: Clock,
  receiver: StoredObject,
  spec: ReceiverSpec,
  requestId: string,
): Promise<Woken> {
  const found = new Map<string, StoredObject>();
  let missing = 0;
  for (const target of spec.resources) {
    const objects = await objectsOf(tx, receiver.namespace, target);
    if (objects.length === 0 && target.name !== '*') missing += 1;
    for (const one of objects) found.set(one.uid, one);
    if (found.size > maxObjects)
      throw new AppError('internal', `the receiver names more than ${maxObjects} objects: narrow its matchLabels`);
  }
  const requestedAt = requestTime(clock);
  const writes = [...found.values()].map((one) => wakeOf(one, requestedAt));
  await appendAudit(tx, {
    actor: tx.actor.name,
    via: tx.actor.via,
    verb: 'reconcile',
    kind: receiver.kind,
    namespace: receiver.namespace,
    name: receiver.name,
    requestId,
    beforeDigest: null,
    afterDigest: null,
    detail: { woken: found.size, missing },
  });
  await writeObjects(tx, writes);
  return { woken: found.size, missing };
}

async function objectsOf(tx: TenantTx, ownNamespace: string, target: Target): Promise<readonly StoredObject[]> {
  if (faceOf(target.kind) === null) return [];
  const namespace = target.namespace ?? ownNamespace;
  if (target.name !== '*') {
    const object = await getObject(tx, { kind: target.kind, namespace, name: target.name });
    return object === null ? [] : [object];
  }
  const wanted = Object.entries(target.matchLabels ?? {});
  return wanted.length === 0 ? [] : labelled(tx, target.kind, namespace, wanted);
}

async function labelled(
  tx: TenantTx,
  kind: string,
  namespace: string,
  wanted: readonly (readonly [string, string])[],
): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  let after: Readonly<{ namespace: string; name: string }> | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const listed = await listObjects(tx, { kind, namespaces: [namespace], limit: pageSize, ...(after === undefined ? {} : { after }) });
    found.push(...listed.filter((one) => wanted.every(([key, value]) => Object.hasOwn(one.labels, key) && one.labels[key] === value)));
    const last = listed.at(-1);
    if (last === undefined || listed.length < pageSize) return found;
    after = { namespace: last.namespace, name: last.name };
  }
  throw new AppError(
    'internal',
    `the namespace holds more than ${maxPages * pageSize} objects of kind ${kind}: name the resources instead of *`,
  );
}

function wakeOf(before: StoredObject, requestedAt: string): ObjectWrite {
  const resource = resourceOf(before.kind);
  const face = faceOf(before.kind);
  if (resource === null || face === null) throw new Error(`${before.kind} has no face`);
  const after = { ...before, annotations: { ...before.annotations, [REQUESTED_AT]: requestedAt } };
  const consequences = consequencesOf({ resource, reconciled: { unit: face.unit }, before, after });
  return { do: 'update', before, after, consequences: { ...consequences, cause: 'webhook' } };
}

/** As precise as Flux writes it. The last digits are chance: two calls in one millisecond are two requests (INV-9). */
function requestTime(clock: Clock): string {
  const digits = Math.floor(clock.random() * 1_000_000)
    .toString()
    .padStart(6, '0');
  return rfc3339Millis(clock.nowMs()).replace('Z', `${digits}Z`);
}

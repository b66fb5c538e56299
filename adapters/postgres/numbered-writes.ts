import { AppError } from '#core/errors.ts';
import { type Json, stringifyJson } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import { snapshotText } from './codec.ts';
import type { NewObject } from './objects.ts';
import { type Row, textOf } from './rows.ts';
import type { SealedMap } from './secrets.ts';
import type { SqlValue, TenantTx } from './tenant-tx.ts';

/**
 * Each statement takes the next number, writes the object under it and logs the change, in one step: from the first of them until the commit
 * this transaction holds the counter, so nothing slow may follow.
 */
const next = 'with v as (update weir.version_counter set n = n + 1 where id = 1 returning n)';
const told = `select l.resource_version, pg_notify('weir_changes', '') from l`;

const insertion = `${next},
  o as (insert into weir.objects (tenant_id, uid, kind, namespace, name, generation, resource_version, created_at, labels, annotations, finalizers,
      owner_references, managed_fields, body, status, sealed, sealed_version, sealed_keys, created_by)
    select $1, $2, $3, $4, $5, $6, v.n, to_timestamp($7::float8 / 1000), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18 from v
    on conflict on constraint objects_key do nothing returning resource_version),
  l as (insert into weir.change_log (tenant_id, kind, resource_version, namespace, name, uid, type, object, sealed, sealed_version)
    select $1, $3, o.resource_version, $4, $5, $2, 'ADDED', $19, $15, $16 from o returning resource_version)
  ${told}`;

const change = `${next},
  o as (update weir.objects set generation = $5, resource_version = v.n, deleting_at = to_timestamp($6::float8 / 1000), labels = $7, annotations = $8,
      finalizers = $9, owner_references = $10, managed_fields = $11, body = $12, status = $13,
      sealed = case when $16 then $14 else objects.sealed end, sealed_version = case when $16 then $15 else objects.sealed_version end, sealed_keys = $17,
      changed_at = clock_timestamp()
    from v where tenant_id = $1 and uid = $2 and resource_version = $3
    returning objects.*),
  l as (insert into weir.change_log (tenant_id, kind, resource_version, namespace, name, uid, type, object, before, sealed, sealed_version)
    select $1, o.kind, o.resource_version, o.namespace, o.name, $2, 'MODIFIED', $18, $4, o.sealed, o.sealed_version from o returning resource_version)
  ${told}`;

const deletion = `${next},
  o as (delete from weir.objects using v where tenant_id = $1 and uid = $2 and resource_version = $3 returning objects.*, v.n),
  l as (insert into weir.change_log (tenant_id, kind, resource_version, namespace, name, uid, type, object, before, sealed, sealed_version)
    select $1, o.kind, o.n, o.namespace, o.name, $2, 'DELETED', $4, $4, o.sealed, o.sealed_version from o returning resource_version)
  ${told}`;

export async function logAndInsert(tx: TenantTx, input: NewObject): Promise<StoredObject> {
  const { refs: _refs, unit: _unit, sealed, ...given } = input;
  const object: StoredObject = { ...given, tenantId: tx.tenantId, resourceVersion: '', deletingAtMs: null, sealedKeys: sealed?.keys ?? [] };
  const [row] = await tx.query(insertion, [
    tx.tenantId,
    object.uid,
    object.kind,
    object.namespace,
    object.name,
    object.generation,
    object.createdAtMs,
    ...jsonColumns(object),
    sealed?.sealed ?? null,
    sealed?.version ?? null,
    json(object.sealedKeys),
    object.createdBy,
    snapshotText(object),
  ]);
  if (row === undefined) {
    const where = object.namespace === '' ? '' : ` in namespace "${object.namespace}"`;
    throw new AppError('alreadyExists', `${object.kind} "${object.name}" already exists${where}`, { name: object.name, kind: object.kind });
  }
  return numbered(object, row);
}

/** `sealed`: undefined keeps the values, null removes them. */
export async function logAndUpdate(
  tx: TenantTx,
  before: StoredObject,
  wanted: StoredObject,
  sealed: SealedMap | null | undefined,
): Promise<StoredObject> {
  const sealedKeys = sealed === undefined ? before.sealedKeys : (sealed?.keys ?? []);
  // What identifies an object never changes, whatever the caller put there.
  const { tenantId, kind, uid, namespace, name, createdAtMs, createdBy } = before;
  const object: StoredObject = { ...wanted, tenantId, kind, uid, namespace, name, createdAtMs, createdBy, sealedKeys };
  const [row] = await tx.query(change, [
    tx.tenantId,
    uid,
    before.resourceVersion,
    snapshotText(before),
    object.generation,
    object.deletingAtMs,
    ...jsonColumns(object),
    sealed?.sealed ?? null,
    sealed?.version ?? null,
    sealed !== undefined,
    json(sealedKeys),
    snapshotText(object),
  ]);
  if (row === undefined)
    throw new AppError('conflict', `${kind} "${name}" changed in between: read it again and repeat the change`, { name, kind });
  return numbered(object, row);
}

export async function logAndDelete(tx: TenantTx, before: StoredObject): Promise<StoredObject> {
  const { kind, name } = before;
  const [row] = await tx.query(deletion, [tx.tenantId, before.uid, before.resourceVersion, snapshotText(before)]);
  if (row === undefined)
    throw new AppError('conflict', `${kind} "${name}" changed in between: read it again and repeat the deletion`, { name, kind });
  return numbered(before, row);
}

/** labels, annotations, finalizers, owner references, managed fields, body, status. */
function jsonColumns(object: StoredObject): readonly SqlValue[] {
  return [
    json(object.labels),
    json(object.annotations),
    json(object.finalizers),
    json(object.ownerReferences.map((one) => ({ ...one }))),
    json(object.managedFields),
    json(object.body),
    object.status === null ? null : json(object.status),
  ];
}

function json(value: Json): string {
  return stringifyJson(value);
}

function numbered(object: StoredObject, row: Row): StoredObject {
  return { ...object, resourceVersion: textOf(row, 'resource_version') };
}

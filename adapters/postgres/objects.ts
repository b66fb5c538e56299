import type { Change, Consequences, ObjectKey, Ref, StoredObject } from '#core/store.ts';
import { objectColumns, objectOfRow, objectOfSnapshot } from './codec.ts';
import { writeObjects } from './object-writes.ts';
import { onlyRow, type Row, textOf, textOrNull } from './rows.ts';
import type { SealedMap } from './secrets.ts';
import type { SqlValue, TenantTx } from './tenant-tx.ts';

/** How the runtime works on an object. `unit` is that of its kind: a definition of a `delivery` kind fans out. `host`: the remote host whose cap in flight it counts against. */
export type WorkUnit = Readonly<{ unit: 'definition' | 'delivery'; host?: string | null }>;
export type NewObject = Readonly<
  Omit<StoredObject, 'tenantId' | 'resourceVersion' | 'deletingAtMs' | 'sealedKeys'> & {
    refs: readonly Ref[];
    /** null for kinds that nobody reconciles. */
    unit: WorkUnit | null;
    sealed?: SealedMap;
  }
>;
export type UpdateExtra = Readonly<{
  /** null removes the values; absent: unchanged. */
  sealed?: SealedMap | null;
  /** Absent: unchanged. */
  refs?: readonly Ref[];
  host?: string | null;
}>;

export type ObjectWrite =
  | Readonly<{ do: 'insert'; object: NewObject; consequences: Consequences }>
  | Readonly<{ do: 'update'; before: StoredObject; after: StoredObject; consequences: Consequences; extra?: UpdateExtra }>
  | Readonly<{ do: 'delete'; before: StoredObject; consequences: Consequences }>;

export const noConsequences: Consequences = Object.freeze({ raiseFence: false, trigger: false, outbox: Object.freeze([]) });

export type ListQuery = Readonly<{
  kind: string;
  /** null: every namespace of the tenant (and cluster-scoped objects). */
  namespaces: readonly string[] | null;
  names?: readonly string[];
  /** Objects behind this key only. */
  after?: Readonly<{ namespace: string; name: string }>;
  /** Absent: everything, as a list without limit must (kube-api 3.3). */
  limit?: number;
}>;

const byKey = `select ${objectColumns} from weir.objects where tenant_id = $1 and kind = $2 and namespace = $3 and name = $4`;
const byUid = `select ${objectColumns} from weir.objects where tenant_id = $1 and uid = $2`;

/** The object of the scope's tenant, or null: a foreign object looks exactly like a missing one. */
export async function getObject(tx: TenantTx, key: ObjectKey): Promise<StoredObject | null> {
  const [row] = await tx.query(byKey, [tx.tenantId, key.kind, key.namespace, key.name]);
  return row === undefined ? null : objectOfRow(row);
}

export async function getObjectByUid(tx: TenantTx, uid: string): Promise<StoredObject | null> {
  const [row] = await tx.query(byUid, [tx.tenantId, uid]);
  return row === undefined ? null : objectOfRow(row);
}

/** Ordered by namespace, then name, in byte order. */
export async function listObjects(tx: TenantTx, query: ListQuery): Promise<readonly StoredObject[]> {
  const values: SqlValue[] = [tx.tenantId, query.kind];
  const bind = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = ['tenant_id = $1', 'kind = $2'];
  if (query.namespaces !== null) conditions.push(`namespace = any(${bind(query.namespaces)}::text[])`);
  if (query.names !== undefined) conditions.push(`name = any(${bind(query.names)}::text[])`);
  if (query.after !== undefined) conditions.push(`(namespace, name) > (${bind(query.after.namespace)}, ${bind(query.after.name)})`);
  const limit = query.limit === undefined ? '' : ` limit ${bind(query.limit)}`;
  const rows = await tx.query(
    `select ${objectColumns} from weir.objects where ${conditions.join(' and ')} order by namespace, name${limit}`,
    values,
  );
  return rows.map(objectOfRow);
}

/** The counter in the transaction's snapshot, decimal text: the resourceVersion of a list read in the same snapshot. */
export async function currentVersion(tx: TenantTx): Promise<string> {
  return textOf(onlyRow(await tx.query('select n from weir.version_counter where id = 1')), 'n');
}

/** Stores a new object, its pointers, its work row (due now) and its change. Throws AppError alreadyExists. */
export async function insertObject(tx: TenantTx, object: NewObject, consequences: Consequences): Promise<StoredObject> {
  return only(await writeObjects(tx, [{ do: 'insert', object, consequences }]));
}

/**
 * Compare-and-set on `before.resourceVersion`: AppError conflict when it moved, notFound when the object is gone. When nothing changed it returns
 * `before` and writes nothing (kube-api 2.7 rule 4).
 */
export async function updateObject(
  tx: TenantTx,
  before: StoredObject,
  after: StoredObject,
  consequences: Consequences,
  extra: UpdateExtra = {},
): Promise<StoredObject> {
  return only(await writeObjects(tx, [{ do: 'update', before, after, consequences, extra }]));
}

/** Removes the object, its pointers and its work row. Returns the last state with the number of its deletion. AppError conflict, notFound. */
export async function deleteObject(tx: TenantTx, before: StoredObject, consequences: Consequences): Promise<StoredObject> {
  return only(await writeObjects(tx, [{ do: 'delete', before, consequences }]));
}

function only(results: readonly StoredObject[]): StoredObject {
  const [result] = results;
  if (result === undefined) throw new Error('one write has one result');
  return result;
}

export type ChangesQuery = Readonly<{
  kind: string /** null: all of the tenant. */;
  namespaces: readonly string[] | null /** Decimal text. */;
  after: string;
  limit: number;
}>;
export type Changes = Readonly<{ changes: readonly Change[]; upTo: string }>;

/**
 * Changes of one kind after a number, in order. `upTo`: everything up to it is in the answer or does not concern this query, and nothing below it
 * will ever appear later. 'expired' when `after` lies below the log: list again. One statement, hence one snapshot.
 */
export async function changesSince(tx: TenantTx, query: ChangesQuery): Promise<Changes | 'expired'> {
  const values: SqlValue[] = [tx.tenantId, query.kind, query.after, query.limit];
  const inNamespaces = query.namespaces === null ? '' : `and l.namespace = any($${values.push(query.namespaces)}::text[])`;
  const rows = await tx.query(
    `select c.n, c.log_floor <= $3::bigint as held, l.resource_version, l.type, l.object, l.before
      from weir.version_counter c left join lateral (
        select l.resource_version, l.type, l.object, l.before from weir.change_log l
        where l.tenant_id = $1 and l.kind = $2 and l.resource_version > $3::bigint ${inNamespaces} order by l.resource_version limit $4
      ) l on true where c.id = 1 order by l.resource_version`,
    values,
  );
  const [first] = rows;
  if (first === undefined) throw new Error('database: the version counter is missing');
  if (first['held'] !== true) return 'expired';
  const changes = rows.filter((row) => row['resource_version'] !== null).map(changeOf);
  const last = changes.at(-1);
  return { changes, upTo: last !== undefined && changes.length >= query.limit ? last.resourceVersion : textOf(first, 'n') };
}

function changeOf(row: Row): Change {
  const type = textOf(row, 'type');
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw new Error('database: column type of change_log holds no type');
  const resourceVersion = textOf(row, 'resource_version');
  const before = textOrNull(row, 'before');
  return {
    resourceVersion,
    type,
    object: objectOfSnapshot(textOf(row, 'object'), resourceVersion),
    before: before === null ? null : objectOfSnapshot(before),
  };
}

import type { Lookup } from '#core/ports.ts';
import type { ObjectKey, StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import { getObject, listObjects } from './objects.ts';
import { textOf } from './rows.ts';
import type { TenantDb } from './tenant-db.ts';
import type { TenantTx } from './tenant-tx.ts';

/** Objects of one tenant as a kind sees them. `clusterId`: the run's cluster, or null for a definition. */
export function lookupOf(db: TenantDb, scope: TenantScope, clusterId: string | null): Lookup {
  const read = <T>(fn: (tx: TenantTx) => Promise<T>): Promise<T> => db.inTenant(scope, fn, { readOnly: true });
  return Object.freeze({
    get: (key: ObjectKey) => read((tx) => getObject(tx, key)),
    list: (kind: string, namespace: string) => read((tx) => listObjects(tx, { kind, namespaces: [namespace] })),
    namespaces: () => read(namespaces),
    deliveryOf: (definition: ObjectKey) =>
      clusterId === null ? Promise.resolve(null) : read((tx) => deliveryOf(tx, definition, clusterId)),
  });
}

async function namespaces(tx: TenantTx): Promise<readonly string[]> {
  return (await tx.query('select name from weir.dir_namespaces where tenant_id = $1 order by name', [tx.tenantId])).map((row) =>
    textOf(row, 'name'),
  );
}

async function deliveryOf(tx: TenantTx, definition: ObjectKey, clusterId: string): Promise<StoredObject | null> {
  const [row] = await tx.query(
    `select ${objectColumns} from weir.objects where tenant_id = $1 and uid = (
      select w.unit_id from weir.work w join weir.objects d on d.tenant_id = w.tenant_id and d.uid = w.definition_id
      where w.tenant_id = $1 and d.tenant_id = $1 and d.kind = $2 and d.namespace = $3 and d.name = $4 and w.cluster_id = $5)`,
    [tx.tenantId, definition.kind, definition.namespace, definition.name, clusterId],
  );
  return row === undefined ? null : objectOfRow(row);
}

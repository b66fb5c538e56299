import type { LoadedUnit } from '#core/reconcile/store.ts';
import type { Run, StoredObject } from '#core/store.ts';
import { accessOf } from './cluster-access.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import { booleanOf, textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/** The unit's rows. Null when the definition is gone: its work rows go then. */
export async function load(tx: TenantTx, run: Run): Promise<LoadedUnit | null> {
  const [objects, work, tenants, access] = await Promise.all([
    tx.query(`select ${objectColumns} from weir.objects where tenant_id = $1 and uid = any($2::uuid[])`, [
      tx.tenantId,
      [run.definitionId, run.unitId],
    ]),
    tx.query('select deselected from weir.work where tenant_id = $1 and unit_id = $2', [tx.tenantId, run.unitId]),
    tx.query('select name from weir.dir_tenants where tenant_id = $1', [tx.tenantId]),
    run.clusterId === null ? null : accessOf(tx, run.clusterId),
  ]);
  const found = new Map(objects.map(objectOfRow).map((one) => [one.uid, one]));
  const definition = found.get(run.definitionId);
  const delivery = run.clusterId === null ? null : (found.get(run.unitId) ?? null);
  const [row] = work;
  const [tenant] = tenants;
  if (definition === undefined || row === undefined || tenant === undefined || (delivery === null && run.clusterId !== null)) {
    await tx.run('delete from weir.work where tenant_id = $1 and unit_id = $2', [tx.tenantId, run.unitId]);
    return null;
  }
  return { definition, delivery, deselected: booleanOf(row, 'deselected'), access, tenantName: textOf(tenant, 'name') };
}

/** Deliveries of a definition, by name. */
export async function deliveriesOf(tx: TenantTx, definitionId: string): Promise<readonly StoredObject[]> {
  const columns = objectColumns
    .split(',')
    .map((one) => `o.${one.trim()}`)
    .join(', ');
  const rows = await tx.query(
    `select ${columns} from weir.work w join weir.objects o on o.tenant_id = w.tenant_id and o.uid = w.unit_id
      where w.tenant_id = $1 and w.definition_id = $2 and w.cluster_id is not null order by o.name`,
    [tx.tenantId, definitionId],
  );
  return rows.map(objectOfRow);
}

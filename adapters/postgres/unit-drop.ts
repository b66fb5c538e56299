import type { Run, StoredObject } from '#core/store.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import { deleteObject, noConsequences, updateObject } from './objects.ts';
import { numberOf, onlyRow } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';
import { fenceLost, holdFence } from './unit-claim.ts';
import { triggerUnit } from './work-rows.ts';

async function lock(tx: TenantTx, uids: readonly string[]): Promise<ReadonlyMap<string, StoredObject>> {
  const rows = await tx.query(
    `select ${objectColumns} from weir.objects where tenant_id = $1 and uid = any($2::uuid[]) order by uid for update`,
    [tx.tenantId, uids],
  );
  return new Map(rows.map(objectOfRow).map((one) => [one.uid, one]));
}

/** After teardown: the Delivery, its inventory and its work row go, and the definition is due (to fold again, or to finish its own deletion). */
export async function dropDelivery(tx: TenantTx, run: Run): Promise<void> {
  const objects = await lock(tx, [run.unitId, run.definitionId]);
  await tx.query('select 1 from weir.work where tenant_id = $1 and unit_id = any($2::uuid[]) order by unit_id for update', [
    tx.tenantId,
    [run.unitId, run.definitionId],
  ]);
  await holdFence(tx, run);
  const delivery = objects.get(run.unitId);
  if (delivery === undefined) throw fenceLost();
  await tx.run('delete from weir.inventories where tenant_id = $1 and unit_id = $2', [tx.tenantId, run.unitId]);
  await triggerUnit(tx, run.definitionId, 'delivery gone');
  await deleteObject(tx, delivery, noConsequences);
}

/**
 * Removes our finalizer from a deleting definition; without others the object, its work row and its pointers go, and its referrers are woken.
 * False when deliveries are still there: nothing is changed then.
 */
export async function dropDefinition(tx: TenantTx, run: Run, finalizer: string): Promise<boolean> {
  const definition = (await lock(tx, [run.definitionId])).get(run.definitionId);
  if (definition === undefined) throw fenceLost();
  await holdFence(tx, run);
  const left = onlyRow(
    await tx.query('select count(*)::int as n from weir.work where tenant_id = $1 and definition_id = $2 and cluster_id is not null', [
      tx.tenantId,
      run.definitionId,
    ]),
  );
  if (numberOf(left, 'n') > 0 || definition.deletingAtMs === null) return false;
  const finalizers = definition.finalizers.filter((one) => one !== finalizer);
  if (finalizers.length > 0) {
    await tx.run('update weir.work set lease_until = null, lease_fence = null, due_at = null where tenant_id = $1 and unit_id = $2', [
      tx.tenantId,
      run.unitId,
    ]);
    await updateObject(tx, definition, { ...definition, finalizers }, noConsequences);
    return true;
  }
  const { kind, namespace, name } = definition;
  await deleteObject(tx, definition, { ...noConsequences, outbox: [{ what: 'wake', kind, namespace, name, on: 'change' }] });
  return true;
}

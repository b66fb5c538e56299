import type { Consequences } from '#core/store.ts';
import type { NewObject, WorkUnit } from './objects.ts';
import type { TenantTx } from './tenant-tx.ts';

/** The work row of a new object: due now. A definition of a delivery kind fans out; its deliveries get rows of their own. */
export async function newWork(tx: TenantTx, object: Pick<NewObject, 'uid' | 'kind' | 'namespace'>, work: WorkUnit): Promise<void> {
  await Promise.all([
    tx.run(
      `insert into weir.work (tenant_id, unit_id, kind, definition_id, namespace, fans_out, due_at, cause, host)
        values ($1, $2, $3, $2, $4, $5, clock_timestamp(), 'created', $6)`,
      [tx.tenantId, object.uid, object.kind, object.namespace, work.unit === 'delivery', work.host ?? null],
    ),
    wakeScheduler(tx),
  ]);
}

/**
 * A changed spec, suspend or delete outdates the runs of the definition and of all its deliveries: their next write is refused. Leases stay, since an
 * old run may still have a request in flight (INV-7). A trigger is for the definition alone; a fan-out passes it on.
 */
export async function moveWork(
  tx: TenantTx,
  uid: string,
  consequences: Pick<Consequences, 'raiseFence' | 'trigger' | 'cause'>,
): Promise<void> {
  if (consequences.raiseFence) {
    await tx.query('select 1 from weir.work where tenant_id = $1 and definition_id = $2 order by unit_id for update', [tx.tenantId, uid]);
    await tx.run('update weir.work set fence = fence + 1 where tenant_id = $1 and definition_id = $2', [tx.tenantId, uid]);
  }
  if (consequences.trigger) await triggerUnit(tx, uid, consequences.cause ?? 'changed');
}

/** Due now. Never touches a lease: a running worker is not cut off, and the trigger is not lost. */
export async function triggerUnit(tx: TenantTx, unitId: string, cause: string): Promise<void> {
  await Promise.all([
    tx.run(
      `update weir.work set trigger_no = trigger_no + 1, due_at = least(due_at, clock_timestamp()), offered_until = null, cause = $3
        where tenant_id = $1 and unit_id = $2`,
      [tx.tenantId, unitId, cause],
    ),
    wakeScheduler(tx),
  ]);
}

export async function putHost(tx: TenantTx, uid: string, host: string | null): Promise<void> {
  await tx.run('update weir.work set host = $3 where tenant_id = $1 and unit_id = $2 and host is distinct from $3', [
    tx.tenantId,
    uid,
    host,
  ]);
}

export async function dropWork(tx: TenantTx, unitId: string): Promise<void> {
  await tx.run('delete from weir.work where tenant_id = $1 and unit_id = $2', [tx.tenantId, unitId]);
}

export async function wakeScheduler(tx: TenantTx): Promise<void> {
  await tx.query(`select pg_notify('weir_work', '')`);
}

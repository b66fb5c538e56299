import { AppError } from '#core/errors.ts';
import type { Job } from '#core/job.ts';
import type { Run } from '#core/store.ts';
import { numberOf, type Row, textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/**
 * One statement by the database clock: due and not leased. Of two at once the second waits for the row, looks again, and finds it leased.
 * In: tenant, definition, kind, lease in ms (and cluster). Out: the run, or no row.
 */
function claimText(where: string): string {
  return `update weir.work set fence = fence + 1, lease_fence = fence + 1, lease_until = clock_timestamp() + $4::float8 * interval '1 millisecond',
      handled_no = trigger_no, offered_until = null
    where tenant_id = $1 and definition_id = $2 and kind = $3 and ${where}
      and due_at <= clock_timestamp() and (lease_until is null or lease_until <= clock_timestamp())
    returning unit_id, fence, trigger_no, failures, cause, clock_timestamp() as claimed_at`;
}

const claimDefinition = claimText('cluster_id is null');
const claimDelivery = claimText('cluster_id = $5');

export async function claim(tx: TenantTx, job: Job, leaseMs: number): Promise<Run | null> {
  const values = [tx.tenantId, job.id, job.kind, leaseMs];
  const [row] =
    job.clusterId === undefined ? await tx.query(claimDefinition, values) : await tx.query(claimDelivery, [...values, job.clusterId]);
  return row === undefined ? null : runOf(tx, job, row);
}

function runOf(tx: TenantTx, job: Job, row: Row): Run {
  return Object.freeze({
    tenantId: tx.tenantId,
    kind: job.kind,
    definitionId: job.id,
    clusterId: job.clusterId ?? null,
    unitId: textOf(row, 'unit_id'),
    fence: numberOf(row, 'fence'),
    triggerNo: numberOf(row, 'trigger_no'),
    failures: numberOf(row, 'failures'),
    claimedAtMs: numberOf(row, 'claimed_at'),
    cause: textOf(row, 'cause'),
  });
}

/** False when the fence moved, or the lease belongs to a later run. */
export async function renew(tx: TenantTx, run: Run, leaseMs: number): Promise<boolean> {
  const count = await tx.run(
    `update weir.work set lease_until = clock_timestamp() + $4::float8 * interval '1 millisecond'
      where tenant_id = $1 and unit_id = $2 and fence = $3 and lease_fence = $3`,
    [tx.tenantId, run.unitId, run.fence, leaseMs],
  );
  return count === 1;
}

/**
 * Ends this run's own lease, even when the fence has moved on (a newer spec): the next run then starts at once. Only while the fence is this run's
 * does it also set the due time; a trigger that came meanwhile wins.
 */
export async function release(tx: TenantTx, run: Run, dueInMs: number): Promise<void> {
  await tx.query(
    `with freed as (update weir.work set lease_until = null, lease_fence = null, due_at = case
          when fence = $3 and trigger_no = handled_no then clock_timestamp() + $4::float8 * interval '1 millisecond'
          else least(due_at, clock_timestamp()) end
        where tenant_id = $1 and unit_id = $2 and lease_fence = $3 returning due_at <= clock_timestamp() as is_due)
      select pg_notify('weir_work', '') from freed where is_due`,
    [tx.tenantId, run.unitId, run.fence, dueInMs],
  );
}

/** Locks the unit's work row and makes sure that this run still owns it. Every write of a run goes through here, in its own transaction. */
export async function holdFence(tx: TenantTx, run: Run): Promise<void> {
  const rows = await tx.query('select 1 from weir.work where tenant_id = $1 and unit_id = $2 and fence = $3 for update', [
    tx.tenantId,
    run.unitId,
    run.fence,
  ]);
  if (rows.length !== 1) throw fenceLost();
}

export function fenceLost(): AppError {
  return new AppError('fenceLost', 'a newer run, a changed spec or a deletion owns this unit');
}

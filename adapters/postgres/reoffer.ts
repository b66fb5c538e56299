import type { Job } from '#core/job.ts';
import { jobOf } from './pick-due.ts';
import type { PlatformTx } from './platform-tx.ts';

/** `limit`: at most this many jobs come back; what is left over is offered again when its offer ends. */
export type ReofferQuery = Readonly<{ offerMs: number; limit: number }>;

/**
 * Units that some scheduler offered and nobody took up: due, not leased, and their offer still lasts. Their offer begins anew, so that they count in flight exactly as before and no
 * cap is passed. For a scheduler that starts: one that was killed, or a queue that was lost, may have left them nowhere. Where they do wait in a queue the second job
 * is dropped there or by the claim.
 */
export async function reoffer(tx: PlatformTx, { offerMs, limit }: ReofferQuery): Promise<readonly Job[]> {
  const rows = await tx.query(
    `with offered as (
        select tenant_id, unit_id from weir.work
        where offered_until is not null and offered_until > statement_timestamp() and due_at <= statement_timestamp()
          and (lease_until is null or lease_until <= statement_timestamp())
          and not exists (select from weir.dir_tenants d where d.tenant_id = work.tenant_id and d.suspended)
        order by due_at limit $2 for update skip locked)
      update weir.work w set offered_until = statement_timestamp() + $1::float8 * interval '1 millisecond' from offered
      where w.tenant_id = offered.tenant_id and w.unit_id = offered.unit_id
      returning w.tenant_id, w.kind, w.definition_id, w.cluster_id`,
    [offerMs, limit],
  );
  return rows.map(jobOf);
}

import type { Job } from '#core/job.ts';
import type { PlatformTx } from './platform-tx.ts';
import { type Row, textOf, textOrNull } from './rows.ts';

export type PickQuery = Readonly<{
  /** At most this many jobs come back. */
  freeSlots: number;
  caps: Readonly<{ perTenant: number; perHost: number /** For clusters whose access row names none. */; perCluster: number }>;
  /** By tenant id; 1 when absent. A tenant of weight 2 gets two rows where others get one. */
  weights: Readonly<Record<string, number>>;
  /** A picked row is not offered again for this long. */
  offerMs: number;
}>;

/** Keeps schedulers that pick at once from counting the same free places. */
const pickLock = 7_201_002;

/**
 * Deficit round robin over tenants (reliability.md 4.4). A lane is a tenant's share of one cluster, one remote host, or the rest.
 *
 * flight      rows leased or offered, per tenant and lane: what is running counts against whoever has it
 * lanes       all lanes, by jumping from one to the next in the index work_due: 100,000 due rows in one lane cost as much as one
 * candidates  the first due rows of each lane, no more than its cap has room for
 * turns       within its tenant each row has a turn: (rows in flight + its place) / weight. The lowest turns win, then the longest due
 *
 * A row that another transaction has locked is skipped. In: free slots, caps per tenant, host, cluster, weights as two arrays, offer in ms.
 */
const statement = `
with recursive lanes (tenant_id, lane) as (
    (select w.tenant_id, w.lane from weir.work w where w.due_at is not null order by w.tenant_id, w.lane limit 1)
  union all
    select n.tenant_id, n.lane from lanes l, lateral (
      select w.tenant_id, w.lane from weir.work w where w.due_at is not null and (w.tenant_id, w.lane) > (l.tenant_id, l.lane)
      order by w.tenant_id, w.lane limit 1) n
),
flying as (
  select tenant_id, lane, cluster_id, host from weir.work
  where (lease_until is not null or offered_until is not null) and (lease_until > statement_timestamp() or offered_until > statement_timestamp())
),
by_tenant as (select tenant_id, count(*)::int as n from flying group by tenant_id),
by_lane as (select lane, count(*)::int as n from flying where lane <> '' group by lane),
candidates as (
  select l.tenant_id, l.lane, c.unit_id, c.due_at, c.cluster_id, coalesce(t.n, 0) as flying_tenant, coalesce(g.n, 0) as flying_lane
  from lanes l
  left join by_tenant t using (tenant_id)
  left join by_lane g using (lane)
  cross join lateral (
    select w.unit_id, w.due_at, w.cluster_id from weir.work w
    where w.tenant_id = l.tenant_id and w.lane = l.lane and w.due_at <= statement_timestamp()
      and (w.lease_until is null or w.lease_until <= statement_timestamp()) and (w.offered_until is null or w.offered_until <= statement_timestamp())
    order by w.due_at limit greatest(0, least($1::int, $2::int - coalesce(t.n, 0)))
  ) c
  where not exists (select from weir.dir_tenants d where d.tenant_id = l.tenant_id and d.suspended)
),
capped as (
  select c.*, case when c.lane = '' then null when c.cluster_id is null then $3::int else coalesce(a.concurrency, $4::int) end as lane_cap,
    row_number() over (partition by c.lane order by c.due_at) as place_in_lane
  from candidates c left join weir.cluster_access a on a.tenant_id = c.tenant_id and a.cluster_id = c.cluster_id
),
turns as (
  select c.tenant_id, c.unit_id, c.due_at, c.flying_tenant,
    row_number() over (partition by c.tenant_id order by c.due_at, c.unit_id) as place
  from capped c where c.lane_cap is null or c.flying_lane + c.place_in_lane <= c.lane_cap
),
chosen as (
  select t.tenant_id, t.unit_id, (t.flying_tenant + t.place) / coalesce(w.weight, 1) as turn, t.due_at from turns t
  left join unnest($5::uuid[], $6::float8[]) w (tenant_id, weight) using (tenant_id)
  where t.flying_tenant + t.place <= $2::int
  order by turn, t.due_at limit $1::int
),
locked as (
  select w.tenant_id, w.unit_id from weir.work w join chosen using (tenant_id, unit_id)
  where w.due_at <= statement_timestamp() order by chosen.turn, chosen.due_at for update of w skip locked
)
update weir.work w set offered_until = statement_timestamp() + $7::float8 * interval '1 millisecond' from locked
where w.tenant_id = locked.tenant_id and w.unit_id = locked.unit_id
returning w.tenant_id, w.kind, w.definition_id, w.cluster_id`;

/** Due units, fair over tenants, within the caps. Marks them offered, which is only an optimisation: the claim decides. */
export async function pickDue(tx: PlatformTx, query: PickQuery): Promise<readonly Job[]> {
  if (query.freeSlots <= 0) return [];
  await tx.query('select pg_advisory_xact_lock($1)', [pickLock]);
  const weights = Object.entries(query.weights);
  const rows = await tx.query(statement, [
    query.freeSlots,
    query.caps.perTenant,
    query.caps.perHost,
    query.caps.perCluster,
    weights.map(([tenantId]) => tenantId),
    weights.map(([, weight]) => Math.max(weight, 0.01)),
    query.offerMs,
  ]);
  return rows.map(jobOf);
}

/** For EXPLAIN in tests. */
export const pickDueText = statement;

/** The job of a work row: its ids and nothing else. */
export function jobOf(row: Row): Job {
  const clusterId = textOrNull(row, 'cluster_id');
  const job = { tenantId: textOf(row, 'tenant_id'), kind: textOf(row, 'kind'), id: textOf(row, 'definition_id') };
  return Object.freeze(clusterId === null ? job : { ...job, clusterId });
}

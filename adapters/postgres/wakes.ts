import { CLUSTER_IS_BACK } from '#core/consequences.ts';
import type { PlatformTx } from './platform-tx.ts';
import { numberOf, type Row, textOf, textOrNull } from './rows.ts';

/** How many units one drain makes due: a source with 100,000 referrers is relayed over many drains. */
export const maxWakesPerDrain = 2_000;

export type Woken = Readonly<{ taken: number; triggered: number; more: boolean }>;

const due = `trigger_no = trigger_no + 1, due_at = least(w.due_at, clock_timestamp()), offered_until = null`;

/**
 * Who refers to a changed object is due. Of a definition with deliveries these are woken, not its fan-out; one without any is looked at again itself.
 * A Cluster that is Ready again wakes the deliveries on it that failed: they need not wait for the end of their back-off.
 * Takes rows that no other scheduler holds; equal rows count once. A row with more referrers than one drain may wake stays, and remembers how far it came.
 */
export async function relayWakes(tx: PlatformTx, limit: number): Promise<Woken> {
  const rows = await tx.query(
    `select id, tenant_id, kind, namespace, name, wakes_on, reached from weir.outbox where what = 'wake' order by id limit $1 for update skip locked`,
    [limit],
  );
  if (rows.length === 0) return { taken: 0, triggered: 0, more: false };
  const returned = await waitingOnReturned(tx, rows);
  await trigger(tx, returned.slice(0, maxWakesPerDrain), CLUSTER_IS_BACK);
  if (returned.length > maxWakesPerDrain) return { taken: 0, triggered: maxWakesPerDrain, more: true };
  const all = await unitsOf(tx, rows, maxWakesPerDrain + 1);
  if (all.length <= maxWakesPerDrain) {
    await trigger(tx, all, 'dependency changed');
    await tx.run('delete from weir.outbox where id = any($1::bigint[])', [rows.map((row) => textOf(row, 'id'))]);
    return { taken: rows.length, triggered: returned.length + all.length, more: rows.length === limit };
  }
  return relayPart(tx, rows);
}

type Unit = Readonly<{ tenantId: string; unitId: string; referrer: string }>;

/** Too many for one drain: the first row alone, referrer by referrer; one referrer with all its deliveries is never cut. */
async function relayPart(tx: PlatformTx, rows: readonly Row[]): Promise<Woken> {
  const first = rows.slice(0, 1);
  const [row] = first;
  if (row === undefined) return { taken: 0, triggered: 0, more: false };
  const units = await unitsOf(tx, first, maxWakesPerDrain + 1);
  const cut = units.length > maxWakesPerDrain;
  const lastReferrer = units.at(-1)?.referrer;
  const whole = cut ? units.filter((one) => one.referrer !== lastReferrer) : units;
  const part = whole.length > 0 || !cut ? whole : await unitsOf(tx, first, null, 1);
  await trigger(tx, part, 'dependency changed');
  if (cut) await tx.run('update weir.outbox set reached = $2 where id = $1', [textOf(row, 'id'), part.at(-1)?.referrer ?? null]);
  else await tx.run('delete from weir.outbox where id = $1', [textOf(row, 'id')]);
  return { taken: cut ? 0 : 1, triggered: part.length, more: true };
}

/** Work rows to wake, in referrer order: at most `limit` (null: all) of at most `referrers` referrers of each row. */
async function unitsOf(
  tx: PlatformTx,
  rows: readonly Row[],
  limit: number | null,
  referrers: number | null = limit,
): Promise<readonly Unit[]> {
  const found = await tx.query(
    `select distinct r.referrer, w.tenant_id, w.unit_id
      from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[]) o (tenant_id, kind, namespace, name, wakes_on, reached)
      cross join lateral (
        select r.referrer from weir.refs r where r.tenant_id = o.tenant_id and r.kind = o.kind and r.namespace = o.namespace and r.name = o.name
          and r.wakes_on = o.wakes_on and (o.reached is null or r.referrer > o.reached) order by r.referrer limit $7
      ) r
      join weir.work w on w.tenant_id = o.tenant_id and w.definition_id = r.referrer
      where w.cluster_id is not null or not w.fans_out
        or not exists (select from weir.work d where d.tenant_id = w.tenant_id and d.definition_id = w.definition_id and d.cluster_id is not null)
      order by r.referrer, w.tenant_id, w.unit_id limit $8`,
    [
      rows.map((row) => textOf(row, 'tenant_id')),
      rows.map((row) => textOf(row, 'kind')),
      rows.map((row) => textOf(row, 'namespace')),
      rows.map((row) => textOf(row, 'name')),
      rows.map((row) => textOf(row, 'wakes_on')),
      rows.map((row) => textOrNull(row, 'reached')),
      referrers,
      limit,
    ],
  );
  return found.map((row) => ({ tenantId: textOf(row, 'tenant_id'), unitId: textOf(row, 'unit_id'), referrer: textOf(row, 'referrer') }));
}

/**
 * Deliveries on Clusters that became Ready, of whatever tenant, that failed and wait for their next try (or fail just now). At most one more than a drain may wake; what was woken waits no
 * longer, so the next drain goes on with the rest.
 */
async function waitingOnReturned(tx: PlatformTx, rows: readonly Row[]): Promise<readonly Pick<Unit, 'tenantId' | 'unitId'>[]> {
  const back = rows.filter((row) => textOf(row, 'kind') === 'Cluster' && textOf(row, 'wakes_on') === 'ready');
  if (back.length === 0) return [];
  const found = await tx.query(
    `select distinct w.tenant_id, w.unit_id from unnest($1::uuid[], $2::text[], $3::text[]) r (tenant_id, namespace, name)
      join weir.objects o on o.tenant_id = r.tenant_id and o.kind = 'Cluster' and o.namespace = r.namespace and o.name = r.name
      join weir.work w on w.cluster_id = o.uid
      where w.failures > 0 and (w.due_at > clock_timestamp() or w.lease_until > clock_timestamp()) order by w.tenant_id, w.unit_id limit $4`,
    [
      back.map((row) => textOf(row, 'tenant_id')),
      back.map((row) => textOf(row, 'namespace')),
      back.map((row) => textOf(row, 'name')),
      maxWakesPerDrain + 1,
    ],
  );
  return found.map((row) => ({ tenantId: textOf(row, 'tenant_id'), unitId: textOf(row, 'unit_id') }));
}

/** Locks in unit order, as every other writer of several work rows does. */
export async function trigger(
  tx: PlatformTx,
  units: readonly Readonly<{ tenantId: string; unitId: string }>[],
  cause: string,
): Promise<void> {
  if (units.length === 0) return;
  await tx.run(
    `with due as (select w.tenant_id, w.unit_id from weir.work w join (select distinct * from unnest($1::uuid[], $2::uuid[]) u (tenant_id, unit_id)) u using (tenant_id, unit_id)
        order by w.unit_id for update of w)
      update weir.work w set ${due}, cause = $3 from due where w.tenant_id = due.tenant_id and w.unit_id = due.unit_id`,
    [units.map((one) => one.tenantId), units.map((one) => one.unitId), cause],
  );
}

/** Every definition of a delivery kind in a namespace computes its places again. */
export async function relayPlaces(tx: PlatformTx, limit: number): Promise<Woken> {
  const rows = await tx.query(
    `select id, tenant_id, namespace from weir.outbox where what = 'places' order by id limit $1 for update skip locked`,
    [limit],
  );
  if (rows.length === 0) return { taken: 0, triggered: 0, more: false };
  const triggered = await triggerFanOuts(
    tx,
    rows.map((row) => ({ tenantId: textOf(row, 'tenant_id'), namespace: textOf(row, 'namespace') })),
  );
  await tx.run('delete from weir.outbox where id = any($1::bigint[])', [rows.map((row) => textOf(row, 'id'))]);
  return { taken: rows.length, triggered, more: rows.length === limit };
}

/** `namespace` null: all of the tenant. Returns how many are due now. */
export async function triggerFanOuts(
  tx: PlatformTx,
  where: readonly Readonly<{ tenantId: string; namespace: string | null }>[],
): Promise<number> {
  if (where.length === 0) return 0;
  const rows = await tx.query(
    `select distinct w.tenant_id, w.unit_id from unnest($1::uuid[], $2::text[]) o (tenant_id, namespace)
      join weir.work w on w.tenant_id = o.tenant_id and w.fans_out and (o.namespace is null or w.namespace = o.namespace)`,
    [where.map((one) => one.tenantId), where.map((one) => one.namespace)],
  );
  const units = rows.map((row) => ({ tenantId: textOf(row, 'tenant_id'), unitId: textOf(row, 'unit_id') }));
  await trigger(tx, units, 'places changed');
  return units.length;
}

/** Rows that are left, for `more`. */
export async function outboxLeft(tx: PlatformTx): Promise<number> {
  const [row] = await tx.query('select count(*)::int as n from (select 1 from weir.outbox limit 1) o');
  return row === undefined ? 0 : numberOf(row, 'n');
}

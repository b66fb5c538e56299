import type { PlatformTx } from './platform-tx.ts';
import { numberOf, onlyRow, textOf } from './rows.ts';

export type Expiry = Readonly<{ keepMs: number; limit: number }>;

/** Clients resume a watch within this time at least (kube-api 2.7 rule 5). */
const minKeepMs = 300_000;

/** Oldest first, so that the log has one floor: whoever asks for changes after a number below it must list again. */
export async function trimChangeLog(tx: PlatformTx, { keepMs, limit }: Expiry): Promise<number> {
  const row = onlyRow(
    await tx.query(
      `with oldest as (select resource_version, logged_at from weir.change_log order by resource_version limit $2),
        old as (select resource_version from oldest where logged_at < clock_timestamp() - $1::float8 * interval '1 millisecond'),
        gone as (delete from weir.change_log where resource_version <= (select max(resource_version) from old) returning resource_version)
        select count(*)::int as n, max(resource_version) as upto from gone`,
      [Math.max(keepMs, minKeepMs), limit],
    ),
  );
  const count = numberOf(row, 'n');
  if (count > 0)
    await tx.run('update weir.version_counter set log_floor = greatest(log_floor, $1::bigint) where id = 1', [textOf(row, 'upto')]);
  return count;
}

/**
 * One statement: the rows are locked before the counter, as everywhere, and each deletion has a number of its own (kube-api 2.7 rule 1).
 * The log's object has the shape that codec.ts reads.
 */
const deleteEvents = `
with old as (
  select tenant_id, uid from weir.objects where kind = 'Event' and changed_at < clock_timestamp() - $1::float8 * interval '1 millisecond'
  order by changed_at limit $2
),
gone as (
  delete from weir.objects o using old where o.tenant_id = old.tenant_id and o.uid = old.uid and o.kind = 'Event'
  returning o.tenant_id, o.uid, o.namespace, o.name, o.resource_version, json_build_object(
    'tenantId', o.tenant_id, 'kind', o.kind, 'uid', o.uid, 'namespace', o.namespace, 'name', o.name, 'generation', o.generation,
    'resourceVersion', o.resource_version::text, 'createdAtMs', (extract(epoch from o.created_at) * 1000)::bigint,
    'deletingAtMs', (extract(epoch from o.deleting_at) * 1000)::bigint, 'labels', o.labels, 'annotations', o.annotations,
    'finalizers', o.finalizers, 'ownerReferences', o.owner_references, 'managedFields', o.managed_fields, 'body', o.body,
    'status', o.status, 'sealedKeys', o.sealed_keys, 'createdBy', o.created_by) as object
),
counted as (select count(*) as n from gone),
counter as (update weir.version_counter c set n = c.n + counted.n from counted where c.id = 1 and counted.n > 0 returning c.n, counted.n as count),
logged as (
  insert into weir.change_log (tenant_id, kind, resource_version, namespace, name, uid, type, object, before)
  select g.tenant_id, 'Event', counter.n - counter.count + row_number() over (order by g.resource_version), g.namespace, g.name, g.uid, 'DELETED', g.object, g.object
  from gone g, counter returning 1
)
select count(*)::int as n, case when count(*) > 0 then pg_notify('weir_changes', '')::text end from logged`;

/** Events are for people and kept a day. */
export async function expireEvents(tx: PlatformTx, { keepMs, limit }: Expiry): Promise<number> {
  return numberOf(onlyRow(await tx.query(deleteEvents, [keepMs, limit])), 'n');
}

export async function expireHookDeliveries(tx: PlatformTx, { keepMs, limit }: Expiry): Promise<number> {
  return tx.run(
    `delete from weir.hook_deliveries where (tenant_id, receiver_uid, delivery_id) in (
      select tenant_id, receiver_uid, delivery_id from weir.hook_deliveries where at < clock_timestamp() - $1::float8 * interval '1 millisecond' order by at limit $2)`,
    [keepMs, limit],
  );
}

export async function referencedDigests(tx: PlatformTx, page: Readonly<{ after: string; limit: number }>): Promise<readonly string[]> {
  return (
    await tx.query('select distinct digest from weir.artifacts where digest > $1 order by digest limit $2', [page.after, page.limit])
  ).map((row) => textOf(row, 'digest'));
}

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { insertObject, noConsequences, updateObject } from '#adapters/postgres/objects.ts';
import { openPlatformDb } from '#adapters/postgres/platform-db.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import { maxWakesPerDrain } from '#adapters/postgres/wakes.ts';
import { silentLog } from '#core/log.ts';
import type { UnitStore } from '#core/reconcile/store.ts';
import type { OutboxEntry, Ref, StoredObject } from '#core/store.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';
import { drainAll, useScheduler } from '#tests/postgres/scheduler.ts';

const plane = usePlane({ maxConnections: 4 });
const scheduler = useScheduler(plane);
let store: UnitStore;
beforeAll(() => {
  store = openUnitStore(plane.db);
});

async function define(tenant: TestTenant, name: string, refs: readonly Ref[], kind = 'Kustomization'): Promise<StoredObject> {
  const unit = { unit: kind === 'Kustomization' ? 'delivery' : 'definition' } as const;
  return plane.db.inTenant(tenant.scope, (tx) =>
    insertObject(tx, newObject({ kind, namespace: tenant.namespace, name, unit, refs }), noConsequences),
  );
}

async function tell(tenant: TestTenant, outbox: readonly OutboxEntry[]): Promise<void> {
  const object = newObject({ kind: 'ConfigMap', namespace: tenant.namespace, name: randomUUID() });
  await plane.db.inTenant(tenant.scope, (tx) => insertObject(tx, object, { ...noConsequences, outbox }));
}

/** Sets every unit of the tenant to "not due", then counts triggers from there. */
async function settle(tenant: TestTenant): Promise<void> {
  await plane.ask(
    `update weir.work set due_at = null, handled_no = trigger_no, offered_until = now() + interval '1 hour' where tenant_id = $1`,
    [tenant.tenantId],
  );
}

async function dueUnits(tenant: TestTenant): Promise<readonly string[]> {
  const rows = await plane.ask(
    'select unit_id, trigger_no - handled_no as n from weir.work where tenant_id = $1 and due_at <= now() and offered_until is null',
    [tenant.tenantId],
  );
  expect(rows.every((row) => Number(row['n']) >= 1)).toBe(true);
  return rows.map((row) => String(row['unit_id'])).toSorted();
}

/** The work row of a delivery on a cluster that is due in an hour, after so many failures. Its unit id. */
async function deliveryOn(tenant: TestTenant, name: string, clusterId: string, failures: number): Promise<string> {
  const rows = await plane.ask(
    `insert into weir.work (tenant_id, unit_id, kind, definition_id, cluster_id, namespace, fans_out, cause, failures, due_at)
      values ($1, gen_random_uuid(), 'Kustomization', gen_random_uuid(), $2, $3, false, $4, $5, now() + interval '1 hour') returning unit_id`,
    [tenant.tenantId, clusterId, tenant.namespace, name, failures],
  );
  return String(rows[0]?.['unit_id']);
}

const source = (tenant: TestTenant, on: Ref['on'], name = 'src'): Ref => ({ kind: 'GitRepository', namespace: tenant.namespace, name, on });
const wake = (tenant: TestTenant, on: Ref['on'], name = 'src'): OutboxEntry => ({ what: 'wake', ...source(tenant, on, name) });

describe('wakes', () => {
  test('deliveries of a referrer are woken and not its fan-out; a definition without deliveries itself; nobody else', async () => {
    const [tenant, other] = [await plane.newTenant(), await plane.newTenant()];
    const fans = await define(tenant, 'fans', [source(tenant, 'artifact')]);
    const lone = await define(tenant, 'lone', [source(tenant, 'artifact')]);
    const plain = await define(tenant, 'plain', [source(tenant, 'artifact')], 'HelmChart');
    await define(tenant, 'ready-only', [source(tenant, 'ready')]);
    await define(tenant, 'elsewhere', [source(tenant, 'artifact', 'other')]);
    await define(other, 'foreign', [source(tenant, 'artifact')]);
    const run = await store.claim(tenant.scope, { tenantId: tenant.tenantId, kind: fans.kind, id: fans.uid }, 5_000);
    if (run === null) throw new Error('not claimed');
    const clusters = [randomUUID(), randomUUID()];
    const deliveries = await store.fanOut(
      tenant.scope,
      run,
      fans,
      clusters.map((clusterId) => ({ clusterId, clusterNamespace: 'weir-system', clusterName: clusterId })),
      { trigger: false },
    );
    await settle(tenant);
    await settle(other);
    await tell(tenant, [wake(tenant, 'artifact'), wake(tenant, 'artifact')]);
    expect(await drainAll(scheduler.db)).toBe(4);
    expect(await dueUnits(tenant)).toEqual([...deliveries.map((one) => one.uid), lone.uid, plain.uid].toSorted());
    expect(await dueUnits(other)).toEqual([]);
    expect(await plane.ask('select count(*)::int as n from weir.outbox')).toEqual([{ n: 0 }]);
  });

  test('a Cluster that is Ready again wakes what failed on it, of every tenant, and nothing that waits for its interval or elsewhere', async () => {
    const [tenant, other] = [await plane.newTenant(), await plane.newTenant()];
    const cluster = await define(tenant, 'east', [], 'Cluster');
    const failing = await deliveryOn(tenant, 'failing', cluster.uid, 3);
    await deliveryOn(tenant, 'fine', cluster.uid, 0);
    await deliveryOn(tenant, 'elsewhere', randomUUID(), 3);
    const foreign = await deliveryOn(other, 'foreign', cluster.uid, 1);
    await drainAll(scheduler.db);
    const ready = { what: 'wake', kind: 'Cluster', namespace: tenant.namespace, name: 'east', on: 'ready' } as const;
    await tell(tenant, [{ ...ready, on: 'change' }]);
    expect(await drainAll(scheduler.db)).toBe(0);
    await tell(tenant, [ready]);
    expect(await drainAll(scheduler.db)).toBe(2);
    const rows = await plane.ask(`select unit_id from weir.work where cause = 'cluster is back' and due_at <= now() order by unit_id`);
    expect(rows.map((row) => row['unit_id'])).toEqual([failing, foreign].toSorted());
    expect(await plane.ask('select count(*)::int as n from weir.outbox')).toEqual([{ n: 0 }]);
  });

  test('a Cluster with many failing deliveries wakes them in bounded parts, each once', async () => {
    const tenant = await plane.newTenant();
    const cluster = await define(tenant, 'wide', [], 'Cluster');
    const count = maxWakesPerDrain + 700;
    await plane.ask(
      `insert into weir.work (tenant_id, unit_id, kind, definition_id, cluster_id, namespace, fans_out, cause, failures, due_at, handled_no)
        select $1, gen_random_uuid(), 'Kustomization', gen_random_uuid(), $2, 'x', false, 'made', 2, now() + interval '1 hour', 1 from generate_series(1, $3)`,
      [tenant.tenantId, cluster.uid, count],
    );
    await drainAll(scheduler.db);
    await tell(tenant, [{ what: 'wake', kind: 'Cluster', namespace: tenant.namespace, name: 'wide', on: 'ready' }]);
    expect(await scheduler.db.drainOutbox(200)).toEqual({ taken: 0, triggered: maxWakesPerDrain, more: true });
    expect(await drainAll(scheduler.db)).toBe(count - maxWakesPerDrain);
    const rows = await plane.ask('select min(trigger_no)::int as low, max(trigger_no)::int as high from weir.work where cluster_id = $1', [
      cluster.uid,
    ]);
    expect(rows).toEqual([{ low: 2, high: 2 }]);
  });

  test('a leased unit is triggered and keeps its lease', async () => {
    const tenant = await plane.newTenant();
    const chart = await define(tenant, 'chart', [source(tenant, 'artifact')], 'HelmChart');
    const run = await store.claim(tenant.scope, { tenantId: tenant.tenantId, kind: chart.kind, id: chart.uid }, 60_000);
    await tell(tenant, [wake(tenant, 'artifact')]);
    await drainAll(scheduler.db);
    const [row] = await plane.ask('select trigger_no::int, fence::int, lease_until > now() as leased from weir.work where unit_id = $1', [
      chart.uid,
    ]);
    expect(row).toEqual({ trigger_no: 2, fence: run?.fence, leased: true });
  });

  test('a source with many referrers is relayed in bounded parts, each referrer once', async () => {
    const tenant = await plane.newTenant();
    await drainAll(scheduler.db);
    const count = maxWakesPerDrain * 2 + 500;
    await plane.ask(
      `with ids as (select gen_random_uuid() as id from generate_series(1, $2)),
        w as (insert into weir.work (tenant_id, unit_id, kind, definition_id, namespace, fans_out, cause) select $1, id, 'HelmChart', id, 'x', false, 'made' from ids)
        insert into weir.refs (tenant_id, referrer, kind, namespace, name, wakes_on) select $1, id, 'GitRepository', $3, 'src', 'artifact' from ids`,
      [tenant.tenantId, count, tenant.namespace],
    );
    await tell(tenant, [wake(tenant, 'artifact')]);
    const first = await scheduler.db.drainOutbox(200);
    expect(first).toEqual({ taken: 0, triggered: maxWakesPerDrain, more: true });
    expect(await drainAll(scheduler.db)).toBe(count - maxWakesPerDrain);
    const rows = await plane.ask(
      'select min(trigger_no)::int as low, max(trigger_no)::int as high, count(*)::int as n from weir.work where tenant_id = $1',
      [tenant.tenantId],
    );
    expect(rows).toEqual([{ low: 2, high: 2, n: count }]);
  });

  test('several schedulers at once relay every row exactly once (fault 45)', async () => {
    const tenant = await plane.newTenant();
    const units = 60;
    for (let index = 0; index < units; index += 1)
      await define(tenant, `chart-${index}`, [source(tenant, 'artifact', `src-${index}`)], 'HelmChart');
    await settle(tenant);
    for (let index = 0; index < units; index += 1) await tell(tenant, [wake(tenant, 'artifact', `src-${index}`)]);
    const others = await Promise.all([1, 2].map(() => openPlatformDb({ url: plane.schedulerUrl, maxConnections: 2, log: silentLog })));
    try {
      const drained = await Promise.all([scheduler.db, ...others].map((db) => drainAll(db, 7)));
      expect(drained.reduce((sum, one) => sum + one, 0)).toBe(units);
    } finally {
      await Promise.all(others.map((one) => one.close()));
    }
    const rows = await plane.ask(
      'select trigger_no - handled_no as n, count(*)::int as units from weir.work where tenant_id = $1 group by 1',
      [tenant.tenantId],
    );
    expect(rows).toEqual([{ n: '1', units }]);
  });
});

describe('places', () => {
  test('the definitions of delivery kinds of that namespace compute their places again', async () => {
    const tenant = await plane.newTenant();
    const apps = await define(tenant, 'apps', []);
    await define(tenant, 'chart', [], 'HelmChart');
    await plane.db.inTenant(tenant.scope, (tx) =>
      insertObject(
        tx,
        newObject({ kind: 'Kustomization', namespace: `${tenant.name}--b`, name: 'b', unit: { unit: 'delivery' } }),
        noConsequences,
      ),
    );
    await settle(tenant);
    await tell(tenant, [{ what: 'places', namespace: tenant.namespace }]);
    expect(await drainAll(scheduler.db)).toBe(1);
    expect(await dueUnits(tenant)).toEqual([apps.uid]);
  });
});

test('a write of an object wakes listeners of its channel after the commit', async () => {
  const tenant = await plane.newTenant();
  const woken = { changes: 0, work: 0, outbox: 0 };
  const stops = await Promise.all([
    plane.db.listen('weir_changes', () => (woken.changes += 1)),
    scheduler.db.listen('weir_work', () => (woken.work += 1)),
    scheduler.db.listen('weir_outbox', () => (woken.outbox += 1)),
  ]);
  const stored = await define(tenant, 'apps', []);
  await plane.db.inTenant(tenant.scope, (tx) =>
    updateObject(tx, stored, { ...stored, labels: { a: 'b' } }, { ...noConsequences, outbox: [{ what: 'places', namespace: 'x' }] }),
  );
  await expect.poll(() => woken.changes >= 2 && woken.work >= 1 && woken.outbox >= 1).toBe(true);
  await Promise.all(stops.map((stop) => stop()));
  const before = woken.changes;
  await define(tenant, 'more', []);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(woken.changes).toBe(before);
});

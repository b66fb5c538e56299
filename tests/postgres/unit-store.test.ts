import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { artifactOwned } from '#adapters/postgres/artifacts.ts';
import { listLedger } from '#adapters/postgres/ledger.ts';
import {
  currentVersion,
  deleteObject,
  getObject,
  getObjectByUid,
  insertObject,
  listObjects,
  noConsequences,
  updateObject,
} from '#adapters/postgres/objects.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import type { Commit, UnitStore } from '#core/reconcile/store.ts';
import type { LedgerEntry, Run, StoredObject } from '#core/store.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane({ maxConnections: 8 });
let store: UnitStore;
beforeAll(() => {
  store = openUnitStore(plane.db);
});

const quiet: Commit = { status: {}, fold: null, event: null, ledger: null, dueInMs: 60_000, failures: 0, outbox: [], artifact: null };
const moved = { raiseFence: true, trigger: true, outbox: [] };
const leaseMs = 5_000;

async function define(tenant: TestTenant, kind = 'GitRepository', name = 'one'): Promise<StoredObject> {
  const unit = { unit: kind === 'Kustomization' ? 'delivery' : 'definition' } as const;
  return plane.db.inTenant(tenant.scope, (tx) =>
    insertObject(tx, newObject({ kind, namespace: tenant.namespace, name, unit, finalizers: ['finalizers.fluxcd.io'] }), noConsequences),
  );
}

function jobOf(object: StoredObject, clusterId?: string) {
  return { tenantId: object.tenantId, kind: object.kind, id: object.uid, ...(clusterId === undefined ? {} : { clusterId }) };
}

async function claimed(tenant: TestTenant, object: StoredObject, clusterId?: string): Promise<Run> {
  const run = await store.claim(tenant.scope, jobOf(object, clusterId), leaseMs);
  if (run === null) throw new Error('not claimed');
  return run;
}

async function work(unitId: string) {
  const [row] = await plane.ask(
    `select fence::int, trigger_no::int, handled_no::int, failures, deselected, cause, lease_until is not null as leased, due_at is null as never, due_at <= clock_timestamp() as due,
      (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as in_ms from weir.work where unit_id = $1`,
    [unitId],
  );
  return row;
}

const prod = { clusterId: randomUUID(), clusterNamespace: 'weir-system', clusterName: 'prod' };
const test1 = { clusterId: randomUUID(), clusterNamespace: 'weir-system', clusterName: 'test' };

describe('claim', () => {
  test('a new definition is due, is claimed once, and again only after its commit', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const claims = await Promise.all(Array.from({ length: 12 }, () => store.claim(tenant.scope, jobOf(object), leaseMs)));
    const runs = claims.filter((one) => one !== null);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({
      definitionId: object.uid,
      unitId: object.uid,
      clusterId: null,
      fence: 1,
      triggerNo: 1,
      failures: 0,
      cause: 'created',
      tenantId: tenant.tenantId,
    });
    const [run] = runs;
    if (run === undefined) return;
    await store.commit(tenant.scope, run, { ...quiet, dueInMs: 0 });
    expect((await claimed(tenant, object)).fence).toBe(2);
  });

  test('no claim for another tenant, another kind, another cluster, or a unit that is not due', async () => {
    const [tenant, other] = [await plane.newTenant(), await plane.newTenant()];
    const object = await define(tenant);
    expect(await store.claim(other.scope, jobOf(object), leaseMs)).toBeNull();
    expect(await store.claim(other.scope, { ...jobOf(object), tenantId: other.tenantId }, leaseMs)).toBeNull();
    expect(await store.claim(tenant.scope, { ...jobOf(object), kind: 'Kustomization' }, leaseMs)).toBeNull();
    expect(await store.claim(tenant.scope, { ...jobOf(object), clusterId: randomUUID() }, leaseMs)).toBeNull();
    await store.commit(tenant.scope, await claimed(tenant, object), quiet);
    expect(await store.claim(tenant.scope, jobOf(object), leaseMs)).toBeNull();
  });

  test('a lease that ended is taken over, and the old run is refused everywhere', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const old = await store.claim(tenant.scope, jobOf(object), 50);
    if (old === null) throw new Error('not claimed');
    expect(await store.renew(tenant.scope, old, 50)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 80));
    const fresh = await claimed(tenant, object);
    expect(fresh.fence).toBe(old.fence + 1);
    const lost = { code: 'fenceLost' };
    expect(await store.renew(tenant.scope, old, leaseMs)).toBe(false);
    await expect(store.commit(tenant.scope, old, quiet)).rejects.toMatchObject(lost);
    await expect(store.saveStatus(tenant.scope, old, { a: 1 })).rejects.toMatchObject(lost);
    const inventory = store.inventory(tenant.scope, old);
    await expect(inventory.checkFence()).rejects.toMatchObject(lost);
    await expect(inventory.intend([{ id: 'a', version: 'v1' }])).rejects.toMatchObject(lost);
    expect(await inventory.load()).toEqual([]);
    await expect(store.dropDefinition(tenant.scope, old, 'x')).rejects.toMatchObject(lost);
    await expect(store.fanOut(tenant.scope, old, object, [prod], { trigger: false })).rejects.toMatchObject(lost);
    await store.release(tenant.scope, old, 60_000);
    expect(await work(object.uid)).toMatchObject({ leased: true });
    expect(await store.renew(tenant.scope, fresh, leaseMs)).toBe(true);
  });

  test('a trigger during a run is not lost and does not touch the lease', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const run = await claimed(tenant, object);
    await store.trigger(tenant.scope, object.uid, 'webhook');
    expect(await work(object.uid)).toMatchObject({ leased: true, trigger_no: 2, handled_no: 1 });
    expect(await store.claim(tenant.scope, jobOf(object), leaseMs)).toBeNull();
    await store.commit(tenant.scope, run, quiet);
    expect(await work(object.uid)).toMatchObject({ leased: false, due: true });
    expect(await claimed(tenant, object)).toMatchObject({ triggerNo: 2, cause: 'webhook' });
  });

  test('a released unit is due after the given time, or now when a trigger came', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    await store.release(tenant.scope, await claimed(tenant, object), 30_000);
    expect(await work(object.uid)).toMatchObject({ leased: false, due: false });
    await store.trigger(tenant.scope, object.uid, 'webhook');
    const run = await claimed(tenant, object);
    await store.trigger(tenant.scope, object.uid, 'webhook');
    await store.release(tenant.scope, run, 30_000);
    expect(await work(object.uid)).toMatchObject({ leased: false, due: true });
  });

  test('a changed spec stops the run, and its release lets the next one start at once', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const run = await claimed(tenant, object);
    await plane.db.inTenant(tenant.scope, (tx) =>
      updateObject(tx, object, { ...object, generation: 2, body: { spec: { url: 'new' } } }, { ...moved, cause: 'spec' }),
    );
    await expect(store.commit(tenant.scope, run, quiet)).rejects.toMatchObject({ code: 'fenceLost' });
    expect(await store.renew(tenant.scope, run, leaseMs)).toBe(false);
    expect(await store.claim(tenant.scope, jobOf(object), leaseMs)).toBeNull();
    await store.release(tenant.scope, run, 60_000);
    expect(await claimed(tenant, object)).toMatchObject({ fence: 3, triggerNo: 2, cause: 'spec' });
  });
});

describe('commit', () => {
  const ledger: LedgerEntry = {
    cause: 'created',
    actor: 'ann',
    revision: 'main@sha1:1',
    originRevision: null,
    artifactDigest: 'sha256:1',
    renderDigest: null,
    outcome: 'ready',
    reason: 'Succeeded',
    message: 'ok',
    objects: [{ id: 'a_b__ConfigMap', action: 'created' }],
    durationMs: 12.4,
  };

  test('status, event, ledger, artifact, outbox and due time are one transaction', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const run = await claimed(tenant, object);
    const event = {
      kind: 'GitRepository',
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      namespace: object.namespace,
      name: object.name,
      uid: object.uid,
      type: 'Normal',
      reason: 'NewArtifact',
      message: 'stored',
      annotations: { a: 'b' },
    } as const;
    await store.commit(tenant.scope, run, {
      ...quiet,
      status: { observedGeneration: 1 },
      event,
      ledger,
      failures: 2,
      dueInMs: 60_000,
      outbox: [{ what: 'wake', kind: 'GitRepository', namespace: object.namespace, name: object.name, on: 'artifact' }],
      artifact: { digest: 'sha256:1', revision: 'main@sha1:1', sizeBytes: 10 },
    });
    const [stored, events, entries, owned] = await plane.db.inTenant(tenant.scope, (tx) =>
      Promise.all([
        getObject(tx, object),
        listObjects(tx, { kind: 'Event', namespaces: null }),
        listLedger(tx, { definitionId: object.uid, limit: 5 }),
        artifactOwned(tx, 'sha256:1'),
      ]),
    );
    expect(stored?.status).toEqual({ observedGeneration: 1 });
    expect(events[0]?.body).toMatchObject({
      count: 1,
      reason: 'NewArtifact',
      involvedObject: { uid: object.uid, apiVersion: event.apiVersion },
    });
    expect(entries).toMatchObject([{ ...ledger, durationMs: 12, unitId: object.uid }]);
    expect(owned).toBe(true);
    expect(
      await plane.ask('select what, wakes_on from weir.outbox where tenant_id = $1 and name = $2', [tenant.tenantId, object.name]),
    ).toEqual([{ what: 'wake', wakes_on: 'artifact' }]);
    const row = await work(object.uid);
    expect(row).toMatchObject({ leased: false, due: false, failures: 2 });
    expect(Number(row?.['in_ms'])).toBeGreaterThan(55_000);
    expect(Number(row?.['in_ms'])).toBeLessThanOrEqual(63_000);
  });

  test('a commit that changes nothing writes no object and takes no number', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    await store.commit(tenant.scope, await claimed(tenant, object), { ...quiet, status: { a: { b: 1, c: 2 } }, dueInMs: 0 });
    const before = await plane.db.inTenant(tenant.scope, currentVersion);
    await store.commit(tenant.scope, await claimed(tenant, object), { ...quiet, status: { a: { c: 2, b: 1 } }, dueInMs: null });
    expect(await plane.db.inTenant(tenant.scope, currentVersion)).toBe(before);
    expect(await work(object.uid)).toMatchObject({ never: true, leased: false });
  });

  test('a run whose object was deleted meanwhile has lost', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const run = await claimed(tenant, object);
    await plane.db.inTenant(tenant.scope, (tx) => deleteObject(tx, object, noConsequences));
    await expect(store.commit(tenant.scope, run, quiet)).rejects.toMatchObject({ code: 'fenceLost' });
    expect(await store.load(tenant.scope, run)).toBeNull();
  });
});

describe('fan-out', () => {
  const fold: Commit['fold'] = (_definition, deliveries) => ({
    ready: deliveries.filter((one) => one.status?.['ready'] === true).length,
    of: deliveries.length,
  });

  async function fannedOut(places = [prod, test1]) {
    const tenant = await plane.newTenant();
    const definition = await define(tenant, 'Kustomization', 'apps');
    const run = await claimed(tenant, definition);
    const deliveries = await store.fanOut(tenant.scope, run, definition, places, { trigger: false });
    await store.commit(tenant.scope, run, { ...quiet, dueInMs: null, fold });
    return { tenant, definition, deliveries };
  }

  test('one delivery per place, due now, named after kind, definition and cluster', async () => {
    const { tenant, definition, deliveries } = await fannedOut();
    expect(deliveries.map((one) => one.name)).toEqual(['kustomization.apps.prod', 'kustomization.apps.test']);
    expect(deliveries[0]?.body).toEqual({
      spec: {
        definition: { kind: 'Kustomization', name: 'apps', uid: definition.uid },
        cluster: { namespace: 'weir-system', name: 'prod', uid: prod.clusterId },
      },
    });
    const run = await claimed(tenant, definition, prod.clusterId);
    expect(run).toMatchObject({ definitionId: definition.uid, clusterId: prod.clusterId, unitId: deliveries[0]?.uid });
    const unit = await store.load(tenant.scope, run);
    expect(unit).toMatchObject({
      definition: { uid: definition.uid },
      delivery: { uid: run.unitId },
      deselected: false,
      access: null,
      tenantName: tenant.name,
    });
    const lookup = store.lookup(tenant.scope, prod.clusterId);
    expect(await lookup.deliveryOf(definition)).toEqual(deliveries[0]);
    expect(await lookup.deliveryOf({ ...definition, name: 'other' })).toBeNull();
    expect(await lookup.namespaces()).toEqual([tenant.namespace]);
    expect(await store.lookup(tenant.scope, null).deliveryOf(definition)).toBeNull();
  });

  test('the definition shows the fold of its deliveries, concurrent commits included', async () => {
    const places = Array.from({ length: 12 }, (_one, index) => ({
      clusterId: randomUUID(),
      clusterNamespace: 'weir-system',
      clusterName: `c${index}`,
    }));
    const { tenant, definition } = await fannedOut(places);
    const runs = await Promise.all(places.map((one) => claimed(tenant, definition, one.clusterId)));
    await Promise.all(runs.map((run) => store.commit(tenant.scope, run, { ...quiet, status: { ready: true }, fold })));
    expect((await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, definition)))?.status).toEqual({ ready: 12, of: 12 });
  });

  test('a dropped place is deselected once, comes back with its row, and goes after its teardown', async () => {
    const { tenant, definition, deliveries } = await fannedOut();
    const [kept, dropped] = deliveries;
    if (kept === undefined || dropped === undefined) throw new Error('two deliveries');
    const teardown = await claimed(tenant, definition, test1.clusterId);
    const fan = async (places: readonly (typeof prod)[], trigger = false) => {
      await store.trigger(tenant.scope, definition.uid, 'places');
      const run = await claimed(tenant, definition);
      await store.fanOut(tenant.scope, run, definition, places, { trigger });
      await store.commit(tenant.scope, run, { ...quiet, dueInMs: null });
    };
    await fan([prod]);
    const once = await work(dropped.uid);
    expect(once).toMatchObject({ deselected: true, due: true, fence: teardown.fence + 1 });
    await fan([prod]);
    expect(await work(dropped.uid)).toEqual({ ...once, in_ms: expect.any(Number) });
    await fan([prod, test1]);
    expect(await work(dropped.uid)).toMatchObject({ deselected: false, due: true });
    await fan([prod]);
    await store.release(tenant.scope, teardown, 0);
    const run = await claimed(tenant, definition, test1.clusterId);
    expect(await store.load(tenant.scope, run)).toMatchObject({ deselected: true });
    await store.inventory(tenant.scope, run).intend([{ id: 'a_b__ConfigMap', version: 'v1' }]);
    await store.dropDelivery(tenant.scope, run);
    expect(await work(dropped.uid)).toBeUndefined();
    expect(await plane.db.inTenant(tenant.scope, (tx) => getObjectByUid(tx, dropped.uid))).toBeNull();
    expect(await plane.ask('select 1 from weir.inventories where unit_id = $1', [dropped.uid])).toEqual([]);
    expect(await work(definition.uid)).toMatchObject({ due: true, cause: 'delivery gone' });
    expect(await work(kept.uid)).toMatchObject({ deselected: false });
  });

  test('a deleting definition goes with its last delivery, and its referrers are told', async () => {
    const { tenant, definition } = await fannedOut([prod]);
    const current = await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, definition));
    if (current === null) throw new Error('there');
    await plane.db.inTenant(tenant.scope, (tx) =>
      updateObject(tx, current, { ...current, generation: 2, deletingAtMs: 1_790_000_000_000 }, moved),
    );
    const leaving = await claimed(tenant, definition);
    await store.fanOut(tenant.scope, leaving, definition, [], { trigger: true });
    expect(await store.dropDefinition(tenant.scope, leaving, 'finalizers.fluxcd.io')).toBe(false);
    await store.release(tenant.scope, leaving, 600_000);
    await store.dropDelivery(tenant.scope, await claimed(tenant, definition, prod.clusterId));
    const last = await claimed(tenant, definition);
    expect(await store.dropDefinition(tenant.scope, last, 'finalizers.fluxcd.io')).toBe(true);
    expect(await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, definition))).toBeNull();
    expect(await work(definition.uid)).toBeUndefined();
    expect(
      await plane.ask(`select wakes_on from weir.outbox where tenant_id = $1 and what = 'wake' and name = 'apps'`, [tenant.tenantId]),
    ).toEqual([{ wakes_on: 'change' }]);
  });

  test('a definition with a foreign finalizer keeps its object and is not due again', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const two = await plane.db.inTenant(tenant.scope, (tx) =>
      updateObject(tx, object, { ...object, finalizers: [...object.finalizers, 'other/one'], deletingAtMs: 5 }, moved),
    );
    expect(await store.dropDefinition(tenant.scope, await claimed(tenant, object), 'finalizers.fluxcd.io')).toBe(true);
    expect((await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, two)))?.finalizers).toEqual(['other/one']);
    expect(await work(object.uid)).toMatchObject({ never: true, leased: false });
  });

  test('two clusters of one name get two deliveries', async () => {
    const own = { clusterId: randomUUID(), clusterNamespace: 'team', clusterName: 'prod' };
    const { deliveries } = await fannedOut([prod, own]);
    expect(deliveries.map((one) => one.name)).toEqual([
      'kustomization.apps.prod',
      expect.stringMatching(/^kustomization\.apps\.prod-[0-9a-f]{10}$/),
    ]);
  });

  test('250 places are created in several steps', async () => {
    const places = Array.from({ length: 250 }, (_one, index) => ({
      clusterId: randomUUID(),
      clusterNamespace: 'weir-system',
      clusterName: `c${index}`,
    }));
    const { deliveries } = await fannedOut(places);
    expect(deliveries).toHaveLength(250);
  });
});

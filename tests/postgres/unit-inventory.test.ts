import { beforeAll, describe, expect, test } from 'vitest';
import { insertObject, noConsequences } from '#adapters/postgres/objects.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import type { UnitStore } from '#core/reconcile/store.ts';
import type { Run, StoredObject } from '#core/store.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane({ maxConnections: 8 });
let store: UnitStore;
beforeAll(() => {
  store = openUnitStore(plane.db);
});

async function define(tenant: TestTenant): Promise<StoredObject> {
  const one = newObject({ kind: 'GitRepository', namespace: tenant.namespace, name: 'one', unit: { unit: 'definition' }, finalizers: [] });
  return plane.db.inTenant(tenant.scope, (tx) => insertObject(tx, one, noConsequences));
}

async function claimed(tenant: TestTenant, { tenantId, kind, uid }: StoredObject): Promise<Run> {
  const run = await store.claim(tenant.scope, { tenantId, kind, id: uid }, 5_000);
  if (run === null) throw new Error('not claimed');
  return run;
}

describe('inventory', () => {
  test('intent is added to what is there, confirmed entries keep what was confirmed until confirmed anew, and confirmed absence removes', async () => {
    const tenant = await plane.newTenant();
    const object = await define(tenant);
    const run = await claimed(tenant, object);
    const inventory = store.inventory(tenant.scope, run);
    expect(inventory.fence).toBe(run.fence);
    await inventory.intend([
      { id: 'a', version: 'v1' },
      { id: 'b', version: 'v1' },
    ]);
    await inventory.confirm([{ id: 'a', version: 'v1', uid: 'u-a', appliedDigest: 'sha256:a', generation: 3, resourceVersion: '17' }]);
    await inventory.intend([
      { id: 'a', version: 'v2' },
      { id: 'c', version: 'v1' },
    ]);
    const fresh = { state: 'intent', uid: null, appliedDigest: null, generation: null, resourceVersion: null };
    expect(await inventory.load()).toEqual([
      { id: 'a', version: 'v2', state: 'applied', uid: 'u-a', appliedDigest: 'sha256:a', generation: 3, resourceVersion: '17' },
      { id: 'b', version: 'v1', ...fresh },
      { id: 'c', version: 'v1', ...fresh },
    ]);
    await inventory.forget(['b', 'nobody']);
    expect((await inventory.load()).map((one) => one.id)).toEqual(['a', 'c']);
  });

  test('5,000 entries are written in one go', async () => {
    const tenant = await plane.newTenant();
    const run = await claimed(tenant, await define(tenant));
    const inventory = store.inventory(tenant.scope, run);
    const entries = Array.from({ length: 5_000 }, (_one, index) => ({ id: `ns_name-${index}_apps_Deployment`, version: 'v1' }));
    await inventory.intend(entries);
    await inventory.confirm(entries.map((one) => ({ ...one, uid: 'u', appliedDigest: 'd', generation: null, resourceVersion: '1' })));
    expect((await inventory.load()).filter((one) => one.state === 'applied')).toHaveLength(5_000);
  });
});

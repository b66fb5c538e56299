import { beforeAll, expect, test } from 'vitest';
import { insertObject, listObjects, noConsequences } from '#adapters/postgres/objects.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import type { Commit, UnitStore } from '#core/reconcile/store.ts';
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

const quiet: Commit = { status: {}, fold: null, event: null, ledger: null, dueInMs: 60_000, failures: 0, outbox: [], artifact: null };

test('a repeated event raises its count at most every ten seconds', async () => {
  const tenant = await plane.newTenant();
  const object = await define(tenant);
  const event = {
    kind: 'GitRepository',
    apiVersion: 'x/v1',
    namespace: object.namespace,
    name: object.name,
    uid: object.uid,
    type: 'Warning',
    reason: 'Failed',
    message: 'no',
    annotations: {},
  } as const;
  const again = async () => store.commit(tenant.scope, await claimed(tenant, object), { ...quiet, event, dueInMs: 0 });
  const events = () => plane.db.inTenant(tenant.scope, (tx) => listObjects(tx, { kind: 'Event', namespaces: null }));
  await again();
  await again();
  expect((await events()).map((one) => one.body['count'])).toEqual([1]);
  await plane.ask(
    `update weir.objects set body = replace(body::text, 'lastTimestamp":"20', 'lastTimestamp":"19')::json where tenant_id = $1 and kind = 'Event'`,
    [tenant.tenantId],
  );
  await again();
  const [raised] = await events();
  expect(raised?.body['count']).toBe(2);
  expect(raised?.body['lastTimestamp']).toEqual(expect.stringMatching(/^20/));
});

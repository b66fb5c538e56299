import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { artifactOwned, recordArtifact } from '#adapters/postgres/artifacts.ts';
import { addLedger, listLedger } from '#adapters/postgres/ledger.ts';
import { recallLook, rememberLook } from '#adapters/postgres/looks.ts';
import { insertObject, noConsequences } from '#adapters/postgres/objects.ts';
import { hookDirectory, placesPort } from '#adapters/postgres/ports.ts';
import { newObject, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane();

test('a receiver registers its path, changes it, and lets it go', async () => {
  const tenant = await plane.newTenant();
  const receiverUid = randomUUID();
  const hooks = hookDirectory(plane.db, tenant.scope, receiverUid);
  await hooks.register('one');
  await hooks.register('two');
  await hooks.register('two');
  expect(await plane.db.directory.hookByDigest('one')).toBeNull();
  expect(await plane.db.directory.hookByDigest('two')).toEqual({ ownerTenantId: tenant.tenantId, receiverUid });
  await hooks.register(null);
  expect(await plane.db.directory.hookByDigest('two')).toBeNull();
});

test('a Placement shows how many definitions it selects and on which clusters', async () => {
  const tenant = await plane.newTenant();
  await plane.ask(
    `insert into weir.cluster_access (tenant_id, cluster_id, owner_tenant_id, cluster_namespace, cluster_name, server, ca_bundle, labels, variables, paused, concurrency, namespaces, account_namespace, account_name, accounts)
      select $1, gen_random_uuid(), $1, 'weir-system', n, '', '', '{"env":"prod"}', '{}', false, 1, '[]', '', '', '[]' from unnest(array['b', 'a']) n`,
    [tenant.tenantId],
  );
  for (const [name, tier] of [
    ['one', 'app'],
    ['two', 'app'],
    ['three', 'db'],
  ] as const) {
    const definition = newObject({
      kind: 'Kustomization',
      namespace: tenant.namespace,
      name,
      labels: { tier },
      unit: { unit: 'delivery' },
    });
    await plane.db.inTenant(tenant.scope, (tx) => insertObject(tx, definition, noConsequences));
  }
  const spec = { definitions: { selector: { matchLabels: { tier: 'app' } } }, clusters: { selector: { matchLabels: { env: 'prod' } } } };
  const placement = await plane.db.inTenant(tenant.scope, (tx) =>
    insertObject(tx, newObject({ kind: 'Placement', namespace: tenant.namespace, name: 'p', body: { spec } }), noConsequences),
  );
  expect(await placesPort(plane.db, tenant.scope).selectedBy(placement)).toEqual({
    definitions: 2,
    clusters: ['weir-system/a', 'weir-system/b'],
  });
});

test('an artifact belongs to the tenant whose source made it; of each source the newest ten stay', async () => {
  const [tenant, other] = [await plane.newTenant(), await plane.newTenant()];
  const sourceUid = randomUUID();
  const record = (digest: string, source = sourceUid) =>
    plane.db.inTenant(tenant.scope, (tx) => recordArtifact(tx, { digest, revision: 'r', sourceUid: source, sizeBytes: 5_000_000_000 }));
  for (let index = 0; index < 12; index += 1) await record(`sha256:${index}`);
  await record('sha256:0', randomUUID());
  await record('sha256:2');
  const owned = (digest: string, scope = tenant.scope) => plane.db.inTenant(scope, (tx) => artifactOwned(tx, digest));
  expect([
    await owned('sha256:11'),
    await owned('sha256:2'),
    await owned('sha256:1'),
    await owned('sha256:0'),
    await owned('sha256:11', other.scope),
  ]).toEqual([true, true, false, true, false]);
});

test('what a tenant saw of a remote is its own, and an older look does not replace a newer one', async () => {
  const [tenant, other] = [await plane.newTenant(), await plane.newTenant()];
  const refs = [{ name: 'refs/heads/main', commit: 'a'.repeat(40) }];
  const look = (atMs: number, seen = refs) => plane.db.inTenant(tenant.scope, (tx) => rememberLook(tx, 'url', seen, atMs));
  await look(1_790_000_000_500);
  await look(1_790_000_000_100, []);
  expect(await plane.db.inTenant(tenant.scope, (tx) => recallLook(tx, 'url'))).toEqual({ refs, atMs: 1_790_000_000_500 });
  expect(await plane.db.inTenant(other.scope, (tx) => recallLook(tx, 'url'))).toBeNull();
});

test('the ledger is paged newest first, by definition and by unit, without gaps', async () => {
  const tenant = await plane.newTenant();
  const [definitionId, unitA, unitB] = [randomUUID(), randomUUID(), randomUUID()];
  const entry = {
    cause: '',
    actor: '',
    revision: null,
    originRevision: null,
    artifactDigest: null,
    renderDigest: null,
    outcome: 'ready',
    reason: '',
    message: '',
    objects: [],
    durationMs: 0,
  };
  for (let fence = 1; fence <= 10; fence += 1) {
    const run = { unitId: fence % 3 === 0 ? unitB : unitA, fence, definitionId, clusterId: null };
    await plane.db.inTenant(tenant.scope, (tx) => addLedger(tx, run, { ...entry, message: String(fence) }));
  }
  const page = (query: object) => plane.db.inTenant(tenant.scope, (tx) => listLedger(tx, { limit: 4, ...query }));
  const seen: string[] = [];
  for (let before: string | undefined; ; ) {
    const rows = await page({ definitionId, ...(before === undefined ? {} : { before }) });
    if (rows.length === 0) break;
    seen.push(...rows.map((one) => one.message));
    before = rows.at(-1)?.id;
  }
  expect(seen).toEqual(['10', '9', '8', '7', '6', '5', '4', '3', '2', '1']);
  expect((await page({ unitId: unitB })).map((one) => one.message)).toEqual(['9', '6', '3']);
  const again = plane.db.inTenant(tenant.scope, (tx) => addLedger(tx, { unitId: unitA, fence: 1, definitionId, clusterId: null }, entry));
  await expect(again).rejects.toMatchObject({ sqlState: '23505' });
});

test('a lost listening connection comes back and wakes, since something may have been missed', async () => {
  const tenant = await plane.newTenant();
  const woken = { times: 0 };
  const stop = await plane.db.listen('weir_changes', () => (woken.times += 1));
  await plane.ask(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'weir-listen' and datname = current_database()`,
  );
  await expect.poll(() => woken.times, { timeout: 10_000 }).toBe(1);
  await plane.db.inTenant(tenant.scope, (tx) =>
    insertObject(tx, newObject({ kind: 'ConfigMap', namespace: tenant.namespace, name: 'one' }), noConsequences),
  );
  await expect.poll(() => woken.times, { timeout: 10_000 }).toBe(2);
  await stop();
});

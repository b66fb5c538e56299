import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { clusterByName, listAccess } from '#adapters/postgres/cluster-access.ts';
import { dropTenantDirectory } from '#adapters/postgres/directory.ts';
import { deleteObject, insertObject, noConsequences, updateObject } from '#adapters/postgres/objects.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import type { JsonObject } from '#core/json.ts';
import type { Consequences, StoredObject } from '#core/store.ts';
import { PLATFORM_NAMESPACE, PLATFORM_TENANT_ID, scopeOfOwner, type TenantScope } from '#core/tenant.ts';
import { newObject, newTenant, type TestTenant, usePlane } from '#tests/postgres/plane.ts';
import { drainAll, useScheduler } from '#tests/postgres/scheduler.ts';

const plane = usePlane();
const scheduler = useScheduler(plane);
const platform = scopeOfOwner({ ownerTenantId: PLATFORM_TENANT_ID }, { name: 'operator', via: 'oidc' });

function told(namespace: string, clusterName: string): Consequences {
  return { ...noConsequences, outbox: [{ what: 'grants', clusterNamespace: namespace, clusterName }] };
}

async function put(
  scope: TenantScope,
  kind: string,
  namespace: string,
  name: string,
  spec: JsonObject,
  cluster = name,
  labels = {},
): Promise<StoredObject> {
  return plane.db.inTenant(scope, (tx) =>
    insertObject(tx, newObject({ kind, namespace, name, body: { spec }, labels }), told(namespace, cluster)),
  );
}

async function change(scope: TenantScope, before: StoredObject, part: Partial<StoredObject>, cluster = before.name): Promise<StoredObject> {
  return plane.db.inTenant(scope, (tx) => updateObject(tx, before, { ...before, ...part }, told(before.namespace, cluster)));
}

const server = { server: 'https://prod:6443', caBundle: 'PEM' };
const grantFor = (tenant: string, namespaces: readonly string[] = ['apps']) => ({
  tenant,
  namespaces,
  serviceAccount: { namespace: 'weir-system', name: `tenant-${tenant}` },
});

async function sharedCluster(name: string, tenants: readonly JsonObject[], spec: JsonObject = {}, labels = {}) {
  const cluster = await put(platform, 'Cluster', PLATFORM_NAMESPACE, name, { ...server, ...spec }, name, labels);
  const grant = await put(platform, 'ClusterGrant', PLATFORM_NAMESPACE, name, { tenants });
  await drainAll(scheduler.db);
  return { cluster, grant };
}

const accessOf = (tenant: TestTenant) => plane.db.inTenant(tenant.scope, listAccess);

describe('cluster access', () => {
  test('a granted tenant sees the cluster with its facts, another sees nothing', async () => {
    const [a, b] = [await plane.newTenant(), await plane.newTenant()];
    const { cluster } = await sharedCluster(
      'prod-1',
      [grantFor(a.name, ['apps-a', 'jobs-a'])],
      { variables: { REGION: 'eu' }, concurrency: 4, paused: true },
      { env: 'prod' },
    );
    expect(await accessOf(a)).toEqual([
      {
        clusterId: cluster.uid,
        ownerTenantId: PLATFORM_TENANT_ID,
        clusterNamespace: PLATFORM_NAMESPACE,
        clusterName: 'prod-1',
        server: server.server,
        caBundle: 'PEM',
        labels: { env: 'prod' },
        variables: { REGION: 'eu' },
        paused: true,
        concurrency: 4,
        namespaces: ['apps-a', 'jobs-a'],
        serviceAccount: { namespace: 'weir-system', name: `tenant-${a.name}` },
        accounts: [],
      },
    ]);
    expect(await accessOf(b)).toEqual([]);
  });

  test('a changed grant, cluster or label shows; a removed grant and a deleted cluster take the access away', async () => {
    const [a, b] = [await plane.newTenant(), await plane.newTenant()];
    const { cluster, grant } = await sharedCluster('prod-2', [grantFor(a.name)]);
    const both = await change(platform, grant, { body: { spec: { tenants: [grantFor(a.name, ['x']), grantFor(b.name)] } } });
    const labelled = await change(platform, cluster, { labels: { env: 'test' } });
    await drainAll(scheduler.db);
    expect(await accessOf(a)).toMatchObject([{ namespaces: ['x'], labels: { env: 'test' }, concurrency: 16, paused: false }]);
    expect(await accessOf(b)).toHaveLength(1);
    await change(platform, both, { body: { spec: { tenants: [grantFor(b.name)] } } });
    await drainAll(scheduler.db);
    expect(await accessOf(a)).toEqual([]);
    await plane.db.inTenant(platform, (tx) => deleteObject(tx, labelled, told(PLATFORM_NAMESPACE, 'prod-2')));
    await drainAll(scheduler.db);
    expect(await accessOf(b)).toEqual([]);
  });

  test('a grant may name a tenant that does not exist yet; a tenant that goes loses its rows', async () => {
    const name = `late-${randomUUID().slice(0, 8)}`;
    await sharedCluster('prod-3', [grantFor(name)]);
    const late = await newTenant(plane.db, name);
    await drainAll(scheduler.db);
    expect(await accessOf(late)).toHaveLength(1);
    await plane.db.inTenant(late.scope, dropTenantDirectory);
    await drainAll(scheduler.db);
    expect(await accessOf(late)).toEqual([]);
  });

  test('further accounts count when the grant allows their namespace', async () => {
    const a = await plane.newTenant();
    await sharedCluster('prod-4', [grantFor(a.name, ['apps', 'jobs'])]);
    await put(
      a.scope,
      'ClusterAccount',
      a.namespace,
      'ok',
      { cluster: 'prod-4', namespace: 'jobs', serviceAccountName: 'runner' },
      'prod-4',
    );
    await put(
      a.scope,
      'ClusterAccount',
      a.namespace,
      'exact',
      { cluster: 'weir-system/prod-4', namespace: 'apps', serviceAccountName: 'deployer' },
      'weir-system/prod-4',
    );
    await put(
      a.scope,
      'ClusterAccount',
      a.namespace,
      'stolen',
      { cluster: 'prod-4', namespace: 'kube-system', serviceAccountName: 'admin' },
      'prod-4',
    );
    const other = await plane.newTenant();
    await put(
      other.scope,
      'ClusterAccount',
      other.namespace,
      'foreign',
      { cluster: 'prod-4', namespace: 'apps', serviceAccountName: 'foreign' },
      'prod-4',
    );
    await drainAll(scheduler.db);
    const [access] = await accessOf(a);
    expect(access?.accounts).toEqual([
      { namespace: 'apps', name: 'deployer' },
      { namespace: 'jobs', name: 'runner' },
    ]);
  });

  test("a tenant's own cluster is its own by a grant that names itself; its name comes before the shared one's", async () => {
    const a = await plane.newTenant();
    await sharedCluster('prod-5', [grantFor(a.name)]);
    await put(a.scope, 'Cluster', a.namespace, 'prod-5', { ...server, server: 'https://own:6443' });
    await put(a.scope, 'ClusterGrant', a.namespace, 'mine', { cluster: 'prod-5', tenants: [grantFor(a.name)] }, 'prod-5');
    await put(a.scope, 'ClusterAccount', a.namespace, 'acc', { cluster: 'prod-5', namespace: 'apps', serviceAccountName: 'x' }, 'prod-5');
    await drainAll(scheduler.db);
    const access = await accessOf(a);
    expect(access.map((one) => [`${one.clusterNamespace}/${one.clusterName}`, one.accounts.length])).toEqual([
      [`${a.namespace}/prod-5`, 1],
      ['weir-system/prod-5', 0],
    ]);
    const byName = (cluster: Parameters<typeof clusterByName>[1]) => plane.db.inTenant(a.scope, (tx) => clusterByName(tx, cluster));
    const lookIn = [a.namespace, PLATFORM_NAMESPACE];
    expect((await byName({ name: 'prod-5', lookIn }))?.server).toBe('https://own:6443');
    expect((await byName({ namespace: PLATFORM_NAMESPACE, name: 'prod-5' }))?.server).toBe(server.server);
    expect(await byName({ name: 'nobody', lookIn })).toBeNull();
  });

  test('a grant in a tenant namespace gives nothing of a shared cluster', async () => {
    const a = await plane.newTenant();
    await sharedCluster('prod-6', []);
    await put(a.scope, 'ClusterGrant', a.namespace, 'prod-6', { tenants: [grantFor(a.name, ['kube-system'])] });
    await put(a.scope, 'ClusterGrant', PLATFORM_NAMESPACE, 'forged', { cluster: 'prod-6', tenants: [grantFor(a.name)] }, 'prod-6');
    await drainAll(scheduler.db);
    expect(await accessOf(a)).toEqual([]);
  });

  test('a malformed grant straight in the table breaks no projection', async () => {
    const a = await plane.newTenant();
    for (const [index, tenants] of ['text', 5, [1, null, {}, { tenant: 7 }, { tenant: a.name }]].entries()) {
      await put(platform, 'ClusterGrant', PLATFORM_NAMESPACE, `bad-${index}`, { cluster: 'prod-7', tenants }, 'prod-7');
    }
    await sharedCluster('prod-7', [grantFor(a.name)], { variables: { n: 1, ok: 'x' }, concurrency: 1.5 });
    await newTenant(plane.db, `n-${randomUUID().slice(0, 8)}`);
    await drainAll(scheduler.db);
    expect(await accessOf(a)).toMatchObject([{ variables: { ok: 'x' }, concurrency: 16 }]);
  });
});

describe('places of a definition', () => {
  test('a changed grant makes fan-outs and deliveries due, and places follow Placement and default cluster', async () => {
    const a = await plane.newTenant();
    const store = openUnitStore(plane.db);
    const { cluster } = await sharedCluster('prod-8', [grantFor(a.name)], {}, { env: 'prod' });
    const definition = await plane.db.inTenant(a.scope, (tx) =>
      insertObject(
        tx,
        newObject({ kind: 'Kustomization', namespace: a.namespace, name: 'apps', unit: { unit: 'delivery' } }),
        noConsequences,
      ),
    );
    const nowhere = await store.places(a.scope, definition);
    expect(nowhere.places).toEqual([]);
    expect(nowhere.hint).toContain('"weir-system/prod-8"');

    const namespace = newObject({
      kind: 'Namespace',
      namespace: '',
      name: a.namespace,
      annotations: { 'weir.dev/default-cluster': 'prod-8' },
    });
    await plane.db.inTenant(a.scope, (tx) => insertObject(tx, namespace, noConsequences));
    const place = { clusterId: cluster.uid, clusterNamespace: PLATFORM_NAMESPACE, clusterName: 'prod-8' };
    expect((await store.places(a.scope, definition)).places).toEqual([place]);

    const placement = { definitions: { kinds: ['Kustomization'] }, clusters: { selector: { matchLabels: { env: 'prod' } } } };
    await plane.db.inTenant(a.scope, (tx) =>
      insertObject(tx, newObject({ kind: 'Placement', namespace: a.namespace, name: 'p', body: { spec: placement } }), noConsequences),
    );
    expect((await store.places(a.scope, definition)).places).toEqual([place]);

    const run = await store.claim(a.scope, { tenantId: a.tenantId, kind: 'Kustomization', id: definition.uid }, 60_000);
    if (run === null) throw new Error('not claimed');
    const [delivery] = await store.fanOut(a.scope, run, definition, [place], { trigger: false });
    await plane.ask('update weir.work set due_at = null where tenant_id = $1', [a.tenantId]);
    await change(platform, cluster, { body: { spec: { ...server, paused: true } }, labels: { env: 'test' } });
    expect(await drainAll(scheduler.db)).toBe(2);
    const rows = await plane.ask('select unit_id, cause from weir.work where tenant_id = $1 and due_at <= now() order by cause', [
      a.tenantId,
    ]);
    expect(rows).toEqual([
      { unit_id: delivery?.uid, cause: 'cluster changed' },
      { unit_id: definition.uid, cause: 'places changed' },
    ]);
    const moved = await store.places(a.scope, definition);
    expect(moved.places).toEqual([]);
    expect(moved.hint).toContain('Placement "p"');
    expect(await drainAll(scheduler.db)).toBe(0);
  });
});

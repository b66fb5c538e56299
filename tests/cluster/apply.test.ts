import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { Applied } from '#core/ports.ts';
import {
  apply,
  auditOf,
  bindFor,
  clustersFor,
  configMap,
  deployment,
  field,
  item,
  never,
  onboard,
  type Tenant,
} from '#tests/cluster/tenant.ts';
import { type SharedCluster, testCluster } from '#tests/harness/parts.ts';

let shared: SharedCluster;
let tenant: Tenant;
let clusters: Clusters;

beforeAll(async () => {
  shared = await testCluster();
  tenant = await onboard(shared);
  clusters = clustersFor([tenant]);
});
afterAll(() => clusters.close());

test('objects are created, configured and left unchanged, and the result says exactly which', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = [
    item(configMap(tenant.namespace, 'settings', { a: '1' }), delivery),
    item(deployment(tenant.namespace, 'web', 2), delivery),
  ];
  expect((await apply(cluster, items)).map((one) => one.action)).toEqual(['created', 'created']);
  expect((await apply(cluster, items)).map((one) => one.action)).toEqual(['unchanged', 'unchanged']);
  const changed = [item(configMap(tenant.namespace, 'settings', { a: '2' }), delivery), items[1]!];
  expect((await apply(cluster, changed)).map((one) => one.action)).toEqual(['configured', 'unchanged']);
  const live = await cluster.read(items[0]!.ref, never);
  expect(live?.['data']).toEqual({ a: '2' });
});

test('the same results hold with the watch cache, at one request per object', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = ['a', 'b', 'c'].map((name) => item(configMap(tenant.namespace, `cached-${name}`, { name }), delivery));
  await cluster.live(delivery, items, never);
  const before = clusters.requestsSent(tenant.access);
  expect((await apply(cluster, items)).map((one) => one.action)).toEqual(['created', 'created', 'created']);
  expect((await apply(cluster, items)).map((one) => one.action)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  expect(clusters.requestsSent(tenant.access) - before).toBe(6);
  // An object that is not there is asked for by itself; what carries our label is not.
  const then = clusters.requestsSent(tenant.access);
  const absent = item(configMap(tenant.namespace, 'absent', {}), delivery);
  expect((await cluster.live(delivery, [...items, absent], never)).get(absent.id)).toBe(null);
  expect(clusters.requestsSent(tenant.access) - then).toBe(1);
});

test('100 objects: two batches, each announced before and reported after, as the tenant and nobody else', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = Array.from({ length: 100 }, (_, index) =>
    item(configMap(tenant.namespace, `many-${index}`, { index: String(index) }), delivery),
  );
  await cluster.live(delivery, items, never);
  const batches: Applied[][] = [];
  let announced = 0;
  const startedMs = performance.now();
  const results = await cluster.apply(
    items,
    { dryRun: false, beforeBatch: async () => void (announced += 1), afterBatch: async (results) => void batches.push([...results]) },
    never,
  );
  const tookMs = performance.now() - startedMs;
  expect(results.every((one) => one.action === 'created' && one.uid !== null)).toBe(true);
  expect(batches.map((one) => one.length)).toEqual([50, 50]);
  expect(announced).toBe(2);
  const audit = await auditOf(shared.auditLogPath, tenant.user);
  expect(audit.filter((line) => line.verb === 'patch' && line.name.startsWith('many-')).length).toBe(100);
  expect(audit.every((line) => line.agent === 'weir/0.0.0 (test)')).toBe(true);
  process.stdout.write(`measured: apply of 100 ConfigMaps ${tookMs.toFixed(0)} ms\n`);
});

test('a lost fence stops before the batch: nothing is sent', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const one = item(configMap(tenant.namespace, 'fenced', {}), delivery);
  const lost = new Error('fence lost');
  await expect(
    cluster.apply([one], { dryRun: false, beforeBatch: () => Promise.reject(lost), afterBatch: async () => undefined }, never),
  ).rejects.toBe(lost);
  expect(await cluster.read(one.ref, never)).toBe(null);
});

test('a dry run tells what would happen and changes nothing', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const one = item(configMap(tenant.namespace, 'only-dry', {}), delivery);
  expect((await apply(cluster, [one], { dryRun: true })).map((result) => result.action)).toEqual(['created']);
  expect(await cluster.read(one.ref, never)).toBe(null);
});

test('an object outside the grant is refused by name before any request, and nothing else is applied', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const before = clusters.requestsSent(tenant.access);
  const results = await apply(cluster, [
    item(configMap('kube-system', 'stolen', {}), delivery),
    item(configMap(tenant.namespace, 'fine', {}), delivery),
  ]);
  expect(results.map((one) => one.action)).toEqual(['failed', 'skipped']);
  expect(results[0]?.message).toBe(
    `ConfigMap kube-system/stolen: namespace kube-system of cluster ${tenant.access.clusterName} is not granted to this tenant (granted: ${tenant.namespace})`,
  );
  expect(clusters.requestsSent(tenant.access)).toBe(before);
});

test('a cluster-scoped object is tried as the tenant’s account, and the refusal names it', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: `wide-${delivery.slice(0, 8)}` },
    rules: [],
  };
  const [result] = await apply(cluster, [item(role, delivery)]);
  expect(result?.action).toBe('failed');
  expect(result?.message).toMatch(/^ClusterRole wide-\S+: system:serviceaccount:\S+ was refused: clusterroles/);
});

test('an invalid object fails with the API server’s own words; the others of its stage are applied, the next stage is not', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const bad = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'Bad_Name', namespace: tenant.namespace },
    spec: { ports: [{ port: 80 }] },
  };
  const results = await apply(cluster, [item(bad, delivery), item(configMap(tenant.namespace, 'beside', {}), delivery)]);
  expect(results.map((one) => one.action)).toEqual(['failed', 'created']);
  expect(results[0]?.message).toMatch(/Invalid value|RFC 1035|RFC 1123/);
});

test('a Secret’s values are in no error', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const canary = 'canary-5d1c!not-base64';
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: tenant.namespace },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': canary },
  };
  const broken = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'broken', namespace: tenant.namespace }, data: { key: canary } };
  const results = await apply(cluster, [item(secret, delivery), item(broken, delivery)]);
  expect(results.map((one) => one.action)).toEqual(['failed', 'failed']);
  expect(JSON.stringify(results)).not.toContain('canary');
});

test('a name cannot leave its path segment', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const odd = item(configMap(tenant.namespace, '../../../kube-system/configmaps/x?dryRun=All#', {}), delivery);
  const [result] = await apply(cluster, [odd]);
  expect(result?.action).toBe('failed');
  const list = await tenant.admin.must('GET', '/api/v1/namespaces/kube-system/configmaps');
  expect(JSON.stringify(field(list.body, 'items'))).not.toContain('"x"');
});

test('fault 25: an object of another delivery is refused and untouched, with and without the watch cache', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  const one = item(configMap(tenant.namespace, 'claimed', { of: 'first' }), first);
  const other = item(configMap(tenant.namespace, 'claimed', { of: 'second' }), second);
  await apply(bindFor(clusters, tenant, first), [one]);
  const fresh = clustersFor([tenant]);
  try {
    for (const cluster of [bindFor(clusters, tenant, second), bindFor(fresh, tenant, second)]) {
      const [result] = await apply(cluster, [other]);
      expect(result?.action).toBe('failed');
      expect(result?.message).toContain('belongs to another delivery');
      expect((await cluster.read(one.ref, never))?.['data']).toEqual({ of: 'first' });
    }
  } finally {
    await fresh.close();
  }
});

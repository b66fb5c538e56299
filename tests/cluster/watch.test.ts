import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { Change } from '#adapters/kube/watch/live-view.ts';
import {
  apply,
  bindFor,
  clustersFor,
  configMap,
  deployment,
  field,
  item,
  never,
  onboard,
  remove,
  type Tenant,
  until,
} from '#tests/cluster/tenant.ts';
import { testCluster } from '#tests/harness/parts.ts';

let tenant: Tenant;
let clusters: Clusters;
const changes: Change[] = [];

beforeAll(async () => {
  tenant = await onboard(await testCluster());
  clusters = clustersFor([tenant], { changes });
});
afterAll(() => clusters.close());

async function delivered(names: readonly string[]) {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = names.map((name) => item(configMap(tenant.namespace, name, { a: '1' }), delivery));
  await cluster.live(delivery, items, never);
  const applied = await apply(cluster, items);
  const seen = () => changes.filter((one) => one.deliveryId === delivery);
  const path = (name: string): string => `/api/v1/namespaces/${tenant.namespace}/configmaps/${name}`;
  return { delivery, cluster, items, applied, seen, path };
}

test('a second look at live objects costs no request', async () => {
  const { delivery, cluster, items, applied } = await delivered(Array.from({ length: 20 }, (_, index) => `noop-${index}`));
  const before = clusters.requestsSent(tenant.access);
  const live = await cluster.live(delivery, items, never);
  expect(clusters.requestsSent(tenant.access) - before).toBe(0);
  expect(items.map((one) => live.get(one.id)?.uid)).toEqual(applied.map((one) => one.uid));
  expect(items.map((one) => live.get(one.id)?.resourceVersion)).toEqual(applied.map((one) => one.resourceVersion));
  expect(clusters.watchMode(delivery)).toBe('watch');
});

test('our own writes make nobody due', async () => {
  const { delivery, cluster, seen } = await delivered(['quiet-1', 'quiet-2']);
  await apply(cluster, [item(configMap(tenant.namespace, 'quiet-1', { a: '2' }), delivery)]);
  await sleep(500);
  expect(seen()).toEqual([]);
});

test('somebody’s edit is told at once, and live shows its version', async () => {
  const { delivery, cluster, items, seen, path } = await delivered(['edited']);
  const startedMs = performance.now();
  await tenant.admin.must('PATCH', path('edited'), { data: { a: 'drift' } }, 'application/merge-patch+json');
  const change = await until(() => seen()[0]);
  process.stdout.write(`measured: an edit was told ${(performance.now() - startedMs).toFixed(0)} ms after it was sent\n`);
  expect(change).toEqual({
    scope: tenant.scope,
    clusterId: tenant.access.clusterId,
    deliveryId: delivery,
    ref: items[0]!.ref,
    type: 'MODIFIED',
  });
  const live = await tenant.admin.must('GET', path('edited'));
  expect((await cluster.live(delivery, items, never)).get(items[0]!.id)?.resourceVersion).toBe(
    field(field(live.body, 'metadata'), 'resourceVersion'),
  );
});

test('a field that is not ours, and status, make nobody due', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = [item(deployment(tenant.namespace, 'status-only', 1), delivery)];
  await cluster.live(delivery, items, never);
  await apply(cluster, items);
  const path = `/apis/apps/v1/namespaces/${tenant.namespace}/deployments/status-only`;
  await tenant.admin.must('PATCH', `${path}/status`, { status: { replicas: 1, observedGeneration: 1 } }, 'application/merge-patch+json');
  await tenant.admin.must(
    'PATCH',
    `${path}?fieldManager=some-controller`,
    { metadata: { annotations: { 'example.com/seen': 'yes' } } },
    'application/merge-patch+json',
  );
  await sleep(500);
  expect(changes.filter((one) => one.deliveryId === delivery)).toEqual([]);
  await tenant.admin.must('PATCH', `${path}?fieldManager=some-controller`, { spec: { replicas: 5 } }, 'application/merge-patch+json');
  await until(() => changes.find((one) => one.deliveryId === delivery && one.type === 'MODIFIED'));
});

test('a deletion is told as DELETED only after the API server said 404', async () => {
  const { delivery, cluster, items, seen, path } = await delivered(['deleted']);
  await tenant.admin.must('DELETE', path('deleted'));
  expect((await until(() => seen()[0])).type).toBe('DELETED');
  expect((await cluster.live(delivery, items, never)).get(items[0]!.id)).toBe(null);
});

test('a removed label is a change, not a deletion: the object is still seen', async () => {
  const { delivery, cluster, items, applied, seen, path } = await delivered(['unlabelled']);
  await tenant.admin.must(
    'PATCH',
    path('unlabelled'),
    { metadata: { labels: { 'weir.dev/delivery': null } } },
    'application/merge-patch+json',
  );
  expect((await until(() => seen()[0])).type).toBe('MODIFIED');
  const live = (await cluster.live(delivery, items, never)).get(items[0]!.id);
  expect(live?.uid).toBe(applied[0]?.uid);
  expect(live?.deliveryLabel).toBe(null);
  expect((await apply(cluster, items)).map((one) => one.action)).toEqual(['configured']);
  expect((await cluster.live(delivery, items, never)).get(items[0]!.id)?.deliveryLabel).toBe(delivery);
});

test('stripped managedFields are a change', async () => {
  const { seen, path } = await delivered(['stripped']);
  await tenant.admin.must(
    'PATCH',
    path('stripped'),
    [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }],
    'application/json-patch+json',
  );
  expect((await until(() => seen()[0])).type).toBe('MODIFIED');
});

test('an object that was deleted and made anew by somebody else has another uid', async () => {
  const { delivery, cluster, items, applied, seen, path } = await delivered(['remade']);
  await tenant.admin.must('DELETE', path('remade'));
  await tenant.admin.must('POST', `/api/v1/namespaces/${tenant.namespace}/configmaps`, {
    metadata: { name: 'remade', labels: { 'weir.dev/delivery': delivery } },
    data: {},
  });
  await until(() => seen().length > 0);
  await until(async () => (await cluster.live(delivery, items, never)).get(items[0]!.id)?.uid !== applied[0]?.uid);
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['otherUid']);
});

test('two deliveries in one namespace share one watch per kind', async () => {
  const before = clusters.openWatches();
  await delivered(['shared-1']);
  await delivered(['shared-2']);
  expect(clusters.openWatches() - before).toBeLessThanOrEqual(1);
});

test('beyond the budget live objects come by one list per kind, and the mode says so', async () => {
  const small = clustersFor([tenant], { limits: { perCluster: 0 } });
  try {
    const delivery = randomUUID();
    const cluster = bindFor(small, tenant, delivery);
    const items = ['l1', 'l2', 'l3'].map((name) => item(configMap(tenant.namespace, name, {}), delivery));
    await apply(cluster, items);
    const before = small.requestsSent(tenant.access);
    const live = await cluster.live(delivery, items, never);
    expect(small.requestsSent(tenant.access) - before).toBe(1);
    expect(items.every((one) => live.get(one.id)?.deliveryLabel === delivery)).toBe(true);
    expect(small.watchMode(delivery)).toBe('list');
    expect(small.openWatches()).toBe(0);
  } finally {
    await small.close();
  }
});

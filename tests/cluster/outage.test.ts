import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { Change } from '#adapters/kube/watch/live-view.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { apply, bindFor, clustersFor, configMap, item, never, onboard, remove, type Tenant, until } from '#tests/cluster/tenant.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
let running: RunningCluster;
let tenant: Tenant;
let clusters: Clusters;
const changes: Change[] = [];

beforeAll(async () => {
  const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
  running = await startCluster(children, { dir: `${dir()}/frail`, name: 'frail', controllers: false, tools });
  tenant = await onboard(running);
  clusters = clustersFor([tenant], { changes });
});
afterAll(async () => {
  await clusters.close();
  await running.stop();
});

test('fault 17: while the API server is away everything says so at once, and nothing is gone; afterwards it works by itself, and what changed meanwhile is told', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = ['one', 'two', 'three'].map((name) => item(configMap(tenant.namespace, name, { a: '1' }), delivery));
  await cluster.live(delivery, items, never);
  const applied = await apply(cluster, items);
  await tenant.admin.must(
    'PATCH',
    `/api/v1/namespaces/${tenant.namespace}/configmaps/three`,
    { metadata: { finalizers: ['example.com/hold'] } },
    'application/merge-patch+json',
  );
  await running.stopApiServer();

  await expect(apply(cluster, items)).rejects.toMatchObject({ code: 'clusterUnreachable' });
  await expect(remove(cluster, delivery, applied, items)).rejects.toMatchObject({ code: 'clusterUnreachable' });
  await until(async () => {
    const live = await cluster.live(delivery, items, never).catch((error: unknown) => error);
    return live instanceof Error && 'code' in live && live.code === 'clusterUnreachable';
  });
  for (let tries = 0; tries < 5; tries += 1)
    await expect(cluster.read(items[0]!.ref, never)).rejects.toMatchObject({ code: 'clusterUnreachable' });
  const startedMs = performance.now();
  for (let tries = 0; tries < 50; tries += 1)
    await expect(cluster.read(items[0]!.ref, never)).rejects.toMatchObject({ code: 'clusterUnreachable' });
  expect(performance.now() - startedMs).toBeLessThan(500);
  expect((await clusters.care({ scope: tenant.scope, access: tenant.access }).heartbeat(never)).is).toBe('unreachable');
  expect(changes.filter((one) => one.type === 'DELETED')).toEqual([]);

  await running.startApiServer();
  const backMs = performance.now();
  // Changed before the watch is back: it must be found by the new list.
  await tenant.admin.must(
    'PATCH',
    `/api/v1/namespaces/${tenant.namespace}/configmaps/one`,
    { data: { a: 'drift' } },
    'application/merge-patch+json',
  );
  await tenant.admin.must('DELETE', `/api/v1/namespaces/${tenant.namespace}/configmaps/two`);
  const told = await until(() => {
    const seen = changes.filter((one) => one.deliveryId === delivery).map((one) => `${one.type} ${one.ref.name}`);
    return seen.includes('MODIFIED one') && seen.includes('DELETED two') ? seen : null;
  }, 60_000);
  expect(told).not.toContain('DELETED three');
  const live = await until(async () => cluster.live(delivery, items, never).catch(() => null), 60_000);
  process.stdout.write(`measured: live objects known again ${(performance.now() - backMs).toFixed(0)} ms after the API server was back\n`);
  expect(live.get(items[0]!.id)?.uid).toBe(applied[0]?.uid);
  expect(live.get(items[1]!.id)).toBe(null);
});

test('a cluster that is away costs its neighbour nothing', async () => {
  await running.stopApiServer();
  const cluster = bindFor(clusters, tenant, randomUUID());
  const startedMs = performance.now();
  const all = await Promise.allSettled(
    Array.from({ length: 200 }, () => cluster.read({ apiVersion: 'v1', kind: 'ConfigMap', namespace: tenant.namespace, name: 'x' }, never)),
  );
  expect(all.every((one) => one.status === 'rejected')).toBe(true);
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  await running.startApiServer();
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import { apply, bindFor, clustersFor, configMap, deployment, item, never, onboard, type Tenant } from '#tests/cluster/tenant.ts';
import { testCluster } from '#tests/harness/parts.ts';

let tenant: Tenant;
let clusters: Clusters;

beforeAll(async () => {
  tenant = await onboard(await testCluster());
  clusters = clustersFor([tenant]);
});
afterAll(() => clusters.close());

test('an immutable field fails with the API server’s words, or makes the object anew when that is asked for', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const first = deployment(tenant.namespace, 'selector', 1);
  const [created] = await apply(cluster, [item(first, delivery)]);
  const second = {
    ...first,
    spec: {
      selector: { matchLabels: { app: 'other' } },
      template: { metadata: { labels: { app: 'other' } }, spec: { containers: [{ name: 'c', image: 'example/app:1' }] } },
    },
  };
  const [refused] = await apply(cluster, [item(second, delivery)]);
  expect(refused?.action).toBe('failed');
  expect(refused?.message).toContain('field is immutable');
  expect((await apply(cluster, [item(second, delivery, { recreate: true })], { dryRun: true })).map((one) => one.action)).toEqual([
    'configured',
  ]);
  const [made] = await apply(cluster, [item(second, delivery, { recreate: true })]);
  expect(made?.action).toBe('created');
  expect(made?.uid).not.toBe(created?.uid);
});

test('IfNotPresent creates once and never touches what exists', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const one = item(configMap(tenant.namespace, 'once', { a: 'ours' }), delivery, { mode: 'IfNotPresent' });
  const [created] = await apply(cluster, [one]);
  expect(created?.action).toBe('created');
  await tenant.admin.must(
    'PATCH',
    `/api/v1/namespaces/${tenant.namespace}/configmaps/once`,
    { data: { a: 'theirs' } },
    'application/merge-patch+json',
  );
  const [again] = await apply(cluster, [one]);
  expect(again).toMatchObject({ action: 'unchanged', uid: created?.uid });
  expect((await cluster.read(one.ref, never))?.['data']).toEqual({ a: 'theirs' });
});

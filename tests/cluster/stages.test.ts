import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { JsonObject } from '#core/json.ts';
import type { Applied } from '#core/ports.ts';
import { apply, bindFor, clustersFor, configMap, everything, item, never, onboard, remove, type Tenant } from '#tests/cluster/tenant.ts';
import { testCluster } from '#tests/harness/parts.ts';

let tenant: Tenant;
let clusters: Clusters;

beforeAll(async () => {
  tenant = await onboard(await testCluster(), { clusterRules: everything });
  clusters = clustersFor([tenant]);
});
afterAll(() => clusters.close());

function definition(group: string): JsonObject & { readonly metadata: JsonObject } {
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer', format: 'int64' } } } },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

test('a CRD, a Namespace and objects that need them go in at once; removal goes the other way round', async () => {
  const delivery = randomUUID();
  const group = `x${randomBytes(4).toString('hex')}.example.com`;
  const cluster = bindFor(clusters, tenant, delivery);
  const items = [
    item(
      {
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'one', namespace: tenant.namespace },
        spec: { size: 9_007_199_254_740_993n },
      },
      delivery,
    ),
    item(configMap(tenant.namespace, 'beside', {}), delivery),
    item({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `made-${delivery.slice(0, 8)}` } }, delivery),
    item(definition(group), delivery),
  ];
  const batches: Applied[][] = [];
  const applied = await apply(cluster, items, { batches });
  expect(applied.map((one) => one.action)).toEqual(['created', 'created', 'created', 'created']);
  expect(batches.map((batch) => batch.length)).toEqual([2, 2]);
  // Beyond 2^53, unharmed both ways.
  const widget = await cluster.read(items[0]!.ref, never);
  expect(widget?.['spec']).toEqual({ size: 9_007_199_254_740_993n });
  expect((await apply(cluster, items)).map((one) => one.action)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
  expect(await cluster.holdsContent(items[3]!.ref, never)).toBe(false);
  await tenant.admin.must('POST', `/apis/${group}/v1/namespaces/${tenant.namespace}/widgets`, {
    apiVersion: `${group}/v1`,
    kind: 'Widget',
    metadata: { name: 'theirs' },
  });
  expect(await cluster.holdsContent(items[3]!.ref, never)).toBe(true);
  const removed = await remove(cluster, delivery, applied, items);
  // A quick API server has finished with the last one by the time we look.
  const done = removed.map((one) => one.is);
  expect(done.slice(0, 3)).toEqual(['gone', 'gone', 'terminating']);
  expect(['gone', 'terminating']).toContain(done[3]);
});

test('a failure in the first stage leaves the later ones untried, and each object says so', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const broken = {
    ...definition('broken.example.com'),
    spec: { group: 'other.example.com', scope: 'Namespaced', names: {}, versions: [] },
  };
  const applied = await apply(cluster, [item(configMap(tenant.namespace, 'after', {}), delivery), item(broken, delivery)]);
  expect(applied.map((one) => one.action)).toEqual(['skipped', 'failed']);
  expect((await tenant.admin.call('GET', `/api/v1/namespaces/${tenant.namespace}/configmaps/after`)).status).toBe(404);
});

test('a kind that the cluster does not have fails at once and is named', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const startedMs = performance.now();
  const [applied] = await apply(cluster, [
    item({ apiVersion: 'nowhere.example.com/v1', kind: 'Gadget', metadata: { name: 'x', namespace: tenant.namespace } }, delivery),
  ]);
  expect(applied?.message).toBe(`Gadget ${tenant.namespace}/x: the cluster has no kind Gadget in nowhere.example.com/v1`);
  expect(performance.now() - startedMs).toBeLessThan(3_000);
});

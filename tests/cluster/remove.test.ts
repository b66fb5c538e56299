import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import { apply, bindFor, clustersFor, configMap, everything, item, never, onboard, remove, type Tenant } from '#tests/cluster/tenant.ts';
import { testCluster } from '#tests/harness/parts.ts';

let tenant: Tenant;
let clusters: Clusters;

beforeAll(async () => {
  tenant = await onboard(await testCluster(), { clusterRules: everything });
  clusters = clustersFor([tenant]);
});
afterAll(() => clusters.close());

async function delivered(names: readonly string[]) {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = names.map((name) => item(configMap(tenant.namespace, name, { a: '1' }), delivery));
  const applied = await apply(cluster, items);
  return { delivery, cluster, items, applied };
}
const path = (name: string): string => `/api/v1/namespaces/${tenant.namespace}/configmaps/${name}`;

test('an object of ours is gone when the API server says so; gone is gone the second time, too', async () => {
  const { delivery, cluster, items, applied } = await delivered(['r1', 'r2']);
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['gone', 'gone']);
  expect(await cluster.read(items[0]!.ref, never)).toBe(null);
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['gone', 'gone']);
});

test('an object without our label, or with another delivery’s, stays', async () => {
  const { delivery, cluster, items, applied } = await delivered(['label-lost', 'label-other']);
  await tenant.admin.must(
    'PATCH',
    path('label-lost'),
    { metadata: { labels: { 'weir.dev/delivery': null } } },
    'application/merge-patch+json',
  );
  await tenant.admin.must(
    'PATCH',
    path('label-other'),
    { metadata: { labels: { 'weir.dev/delivery': randomUUID() } } },
    'application/merge-patch+json',
  );
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['notOurs', 'notOurs']);
  expect((await tenant.admin.call('GET', path('label-lost'))).status).toBe(200);
  expect((await tenant.admin.call('GET', path('label-other'))).status).toBe(200);
});

test('an object of another uid stays', async () => {
  const { delivery, cluster, items, applied } = await delivered(['uid']);
  const wrong = applied.map((one) => ({ ...one, uid: randomUUID() }));
  expect((await remove(cluster, delivery, wrong, items)).map((one) => one.is)).toEqual(['otherUid']);
  expect((await tenant.admin.call('GET', path('uid'))).status).toBe(200);
});

test('a finalizer makes it terminating until it is taken off; no time is spent waiting', async () => {
  const { delivery, cluster, items, applied } = await delivered(['held']);
  await tenant.admin.must('PATCH', path('held'), { metadata: { finalizers: ['example.com/hold'] } }, 'application/merge-patch+json');
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['terminating']);
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['terminating']);
  await tenant.admin.must('PATCH', path('held'), { metadata: { finalizers: null } }, 'application/merge-patch+json');
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['gone']);
});

test('a deletion that admission denies is denied with its words, and the object stays', async () => {
  const { delivery, cluster, items, applied } = await delivered(['guarded']);
  const name = `guard-${delivery.slice(0, 8)}`;
  const admission = '/apis/admissionregistration.k8s.io/v1';
  await tenant.admin.must('POST', `${admission}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] }] },
      validations: [{ expression: `oldObject.metadata.name != 'guarded'`, message: 'guarded stays' }],
    },
  });
  await tenant.admin.must('POST', `${admission}/validatingadmissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  });
  try {
    // The policy takes effect a moment later; a dry-run delete shows when.
    for (let tries = 0; tries < 200 && (await tenant.admin.call('DELETE', `${path('guarded')}?dryRun=All`)).status < 300; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const [removed] = await remove(cluster, delivery, applied, items);
    expect(removed?.is).toBe('denied');
    expect(removed?.message).toContain('guarded stays');
    expect((await tenant.admin.call('GET', path('guarded'))).status).toBe(200);
  } finally {
    await tenant.admin.must('DELETE', `${admission}/validatingadmissionpolicybindings/${name}`);
    await tenant.admin.must('DELETE', `${admission}/validatingadmissionpolicies/${name}`);
  }
});

test('rights taken away make it denied; the account is named', async () => {
  const weak = await onboard(await testCluster());
  const own = clustersFor([weak]);
  try {
    const delivery = randomUUID();
    const cluster = bindFor(own, weak, delivery);
    const items = [item(configMap(weak.namespace, 'kept', {}), delivery)];
    const applied = await apply(cluster, items);
    await weak.admin.must(
      'PATCH',
      `/apis/rbac.authorization.k8s.io/v1/namespaces/${weak.namespace}/roles/tenant`,
      { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }] },
      'application/merge-patch+json',
    );
    const removed = await remove(cluster, delivery, applied, items);
    expect(removed[0]?.is).toBe('denied');
    expect(removed[0]?.message).toContain(`${weak.user} was refused`);
  } finally {
    await own.close();
  }
});

test('objects of a kind whose CRD is gone are gone; a kind that only does not answer is unknown', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const ref = { apiVersion: 'never.example.com/v1', kind: 'Thing', namespace: tenant.namespace, name: 'x' };
  const removed = await cluster.remove(
    delivery,
    [{ id: 'x', ref, uid: randomUUID() }],
    { beforeBatch: async () => undefined, afterBatch: async () => undefined },
    never,
  );
  expect(removed.map((one) => one.is)).toEqual(['gone']);
  // An APIService whose backend does not exist: its group is known, its kinds are not.
  const name = 'v1.stale.example.com';
  await tenant.admin.must('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name },
    spec: {
      group: 'stale.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { namespace: 'default', name: 'nobody' },
    },
  });
  try {
    const stale = { ...ref, apiVersion: 'stale.example.com/v1' };
    let is = 'gone';
    for (let tries = 0; tries < 100 && is === 'gone'; tries += 1) {
      const [one] = await cluster.remove(
        delivery,
        [{ id: 'x', ref: stale, uid: randomUUID() }],
        { beforeBatch: async () => undefined, afterBatch: async () => undefined },
        never,
      );
      is = one?.is ?? 'none';
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(is).toBe('unknown');
  } finally {
    await tenant.admin.must('DELETE', `/apis/apiregistration.k8s.io/v1/apiservices/${name}`);
  }
});

test('a Namespace, a CRD and a bound PVC tell whether they hold what this delivery does not delete', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const name = `empty-${delivery.slice(0, 8)}`;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name };
  expect(await cluster.holdsContent(namespace, never)).toBe(false);
  await tenant.admin.must('POST', '/api/v1/namespaces', { metadata: { name } });
  expect(await cluster.holdsContent(namespace, never)).toBe(false);
  await tenant.admin.must('POST', `/api/v1/namespaces/${name}/configmaps`, {
    metadata: { name: 'ours', labels: { 'weir.dev/delivery': delivery } },
  });
  expect(await cluster.holdsContent(namespace, never)).toBe(false);
  await tenant.admin.must('POST', `/api/v1/namespaces/${name}/configmaps`, { metadata: { name: 'theirs' } });
  expect(await cluster.holdsContent(namespace, never)).toBe(true);
  expect(await cluster.holdsContent({ apiVersion: 'v1', kind: 'ConfigMap', namespace: name, name: 'theirs' }, never)).toBe(false);
});

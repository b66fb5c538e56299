import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRenewalDue } from '#adapters/kube/care.ts';
import type { Clusters } from '#adapters/kube/clusters.ts';
import { clustersFor, everything, field, never, onboard, type Tenant } from '#tests/cluster/tenant.ts';
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

test('the heartbeat tells the version; a credential that is refused is told apart from a cluster that is away', async () => {
  const care = clusters.care({ scope: tenant.scope, access: tenant.access });
  expect(await care.heartbeat(never)).toMatchObject({ is: 'ready', version: expect.stringMatching(/^v1\.\d+\.\d+$/) });
  const stolen = clustersFor([{ ...tenant, bootstrapToken: 'eyJhbGciOiJSUzI1NiJ9.of-another-cluster.x' }]);
  try {
    expect(await stolen.care({ scope: tenant.scope, access: tenant.access }).heartbeat(never)).toMatchObject({
      is: 'refused',
      message: expect.stringContaining('weir cluster onboard'),
    });
    const away = { ...tenant.access, server: 'https://127.0.0.1:1' };
    expect(await clusters.care({ scope: tenant.scope, access: away }).heartbeat(never)).toMatchObject({ is: 'unreachable', version: null });
  } finally {
    await stolen.close();
  }
});

test('the bootstrap account renews its own token; the fresh one works, and the old one still does', async () => {
  const care = clusters.care({ scope: tenant.scope, access: tenant.access });
  const renewed = await care.renew(tenant.bootstrapAccount, never);
  expect(renewed.expiresAtMs - renewed.issuedAtMs).toBe(30 * 86_400_000);
  for (const bootstrapToken of [renewed.token, tenant.bootstrapToken]) {
    const own = clustersFor([{ ...tenant, bootstrapToken }]);
    expect((await own.care({ scope: tenant.scope, access: tenant.access }).heartbeat(never)).is).toBe('ready');
    await own.close();
  }
  const day = 86_400_000;
  expect([14, 15, 40].map((days) => isRenewalDue({ issuedAtMs: 0, expiresAtMs: 30 * day }, days * day))).toEqual([false, true, true]);
});

test('the preflight lists every missing right at once, as the account itself', async () => {
  const weak = await onboard(shared, { rules: [{ apiGroups: ['', 'apps'], resources: ['*'], verbs: ['get', 'list', 'watch', 'create'] }] });
  const own = clustersFor([weak]);
  try {
    const result = await own.care({ scope: weak.scope, access: weak.access }).preflight(weak.account, [weak.namespace], never);
    expect(result.missing).toContain(`${weak.namespace}: patch, delete configmaps`);
    expect(result.missing).toContain(`${weak.namespace}: patch, delete deployments.apps`);
    expect(result.missing).toContain(`${weak.namespace}: get, list, watch, create, patch, delete ingresses.networking.k8s.io`);
    expect(result.message).toContain(`${weak.user} lacks`);
    expect(result.message).toContain('It can’t create namespaces');
  } finally {
    await own.close();
  }
});

test('twin: an account with the usual rights lacks nothing', async () => {
  const strong = await onboard(shared, { clusterRules: everything });
  const own = clustersFor([strong]);
  try {
    const result = await own.care({ scope: strong.scope, access: strong.access }).preflight(strong.account, [strong.namespace], never);
    expect(result).toEqual({ missing: [], message: `${strong.user} has the usual rights in ${strong.namespace}` });
    expect(field(await strong.admin.must('GET', '/version'), 'status')).toBe(200);
  } finally {
    await own.close();
  }
});

test('an account that is not registered, and a grant without namespaces, are refused without a request', () => {
  const before = clusters.requestsSent(tenant.access);
  const bind = (access: Tenant['access'], account = tenant.account) =>
    clusters.bind({ scope: tenant.scope, access, account, deliveryId: 'd' });
  expect(() => bind(tenant.access, { namespace: 'kube-system', name: 'default' })).toThrow('is not registered for this tenant');
  expect(() => bind({ ...tenant.access, namespaces: [] })).toThrow('no namespace');
  expect(
    bind(
      { ...tenant.access, accounts: [{ namespace: tenant.namespace, name: 'further' }] },
      { namespace: tenant.namespace, name: 'further' },
    ).account,
  ).toBe(`system:serviceaccount:${tenant.namespace}:further`);
  expect(clusters.requestsSent(tenant.access)).toBe(before);
});

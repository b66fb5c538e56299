import { beforeAll, expect, test } from 'vitest';
import { bootstrapToken } from '#adapters/kube/credential.ts';
import { apiPath } from '#adapters/kube/paths.ts';
import { createPool, type Pool } from '#adapters/kube/pool.ts';
import { systemClock } from '#core/time.ts';
import { field, never, onboard, type Tenant } from '#tests/cluster/tenant.ts';
import { testCluster } from '#tests/harness/parts.ts';

let tenant: Tenant;
beforeAll(async () => {
  tenant = await onboard(await testCluster());
});

/** A thief with the plane's credential of a cluster. */
async function asThief<T>(
  use: (
    call: (method: 'GET' | 'POST' | 'DELETE', segments: readonly string[], body?: unknown) => ReturnType<Pool['request']>,
  ) => Promise<T>,
): Promise<T> {
  const pool = createPool({
    name: 'c',
    server: tenant.access.server,
    caPem: tenant.access.caBundle,
    certificate: null,
    userAgent: 'thief',
    connectLookup: null,
    clock: systemClock,
  });
  try {
    return await use((method, segments, body) =>
      pool.request({
        method,
        path: apiPath(...segments),
        credential: bootstrapToken('thief', tenant.bootstrapToken),
        ...(body === undefined ? {} : { body: JSON.stringify(body), contentType: 'application/json' }),
        timeoutMs: 5_000,
        maxBytes: 1_000_000,
        signal: never,
      }),
    );
  } finally {
    await pool.close();
  }
}

test('F5 golden: all that the bootstrap identity may do is to make tokens of the named accounts', async () => {
  const rules = await asThief(async (call) => {
    const answer = await call('POST', ['apis', 'authorization.k8s.io', 'v1', 'selfsubjectrulesreviews'], {
      spec: { namespace: tenant.account.namespace },
    });
    return field(field(answer.body, 'status'), 'resourceRules');
  });
  // Kubernetes gives these two to every account by itself: reviews of oneself, and the public trust bundles.
  const given = (Array.isArray(rules) ? rules : []).filter((rule) => !/selfsubject|clustertrustbundles/.test(JSON.stringify(rule)));
  expect(given).toEqual([
    { verbs: ['create'], apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: [tenant.account.name, 'weir-bootstrap'] },
  ]);
});

test('F5: a stolen bootstrap token reads no Secret, makes no Role, impersonates nobody and mints for nobody else', async () => {
  const { namespace } = tenant.account;
  await tenant.admin.must('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'unregistered' } });
  const codes = await asThief(async (call) => ({
    secret: (await call('GET', ['api', 'v1', 'namespaces', namespace, 'secrets'])).status,
    allSecrets: (await call('GET', ['api', 'v1', 'secrets'])).status,
    account: (await call('GET', ['api', 'v1', 'namespaces', namespace, 'serviceaccounts'])).status,
    role: (
      await call('POST', ['apis', 'rbac.authorization.k8s.io', 'v1', 'namespaces', namespace, 'roles'], {
        metadata: { name: 'wide' },
        rules: [],
      })
    ).status,
    binding: (
      await call('POST', ['apis', 'rbac.authorization.k8s.io', 'v1', 'clusterrolebindings'], {
        metadata: { name: 'wide' },
        roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup: 'rbac.authorization.k8s.io' },
      })
    ).status,
    configMap: (await call('POST', ['api', 'v1', 'namespaces', tenant.namespace, 'configmaps'], { metadata: { name: 'x' } })).status,
    unregistered: (await call('POST', ['api', 'v1', 'namespaces', namespace, 'serviceaccounts', 'unregistered', 'token'], { spec: {} }))
      .status,
    elsewhere: (await call('POST', ['api', 'v1', 'namespaces', 'kube-system', 'serviceaccounts', 'default', 'token'], { spec: {} })).status,
  }));
  expect(codes).toEqual({
    secret: 403,
    allSecrets: 403,
    account: 403,
    role: 403,
    binding: 403,
    configMap: 403,
    unregistered: 403,
    elsewhere: 403,
  });
});

test('F5 twin: it mints for a registered account and for itself', async () => {
  const { namespace, name } = tenant.account;
  const codes = await asThief(async (call) => [
    (await call('POST', ['api', 'v1', 'namespaces', namespace, 'serviceaccounts', name, 'token'], { spec: {} })).status,
    (await call('POST', ['api', 'v1', 'namespaces', namespace, 'serviceaccounts', 'weir-bootstrap', 'token'], { spec: {} })).status,
    (await call('GET', ['version'])).status,
    (await call('GET', ['readyz'])).status,
    (await call('GET', ['apis'])).status,
  ]);
  expect(codes).toEqual([201, 201, 200, 200, 200]);
});

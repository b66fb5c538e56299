import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAccount } from '#adapters/kube/account.ts';
import type { Clusters } from '#adapters/kube/clusters.ts';
import { bootstrapToken, tenantCertificate, tenantToken } from '#adapters/kube/credential.ts';
import { apply, auditOf, bindFor, clustersFor, configMap, item, never, onboard, remove, type Tenant } from '#tests/cluster/tenant.ts';
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

const real = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\u00a0', '\u200b', '\ufeff'), maxLength: 5 });
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  blank,
  fc.constantFrom('', 'Default', 'default ', 'dеfault', 'default\u0000', 'default/token', '../default', 'ｄefault', 'a'.repeat(300)),
);

test('F3: no text but a Kubernetes name is an account: empty, blank and look-alike ones are refused before any request', () => {
  const before = clusters.requestsSent(tenant.access);
  fc.assert(
    fc.property(anyText, anyText, (namespace, name) => {
      if (real.test(namespace) && real.test(name)) return;
      expect(() => parseAccount({ namespace, name })).toThrow('account');
      expect(() =>
        clusters.bind({ scope: tenant.scope, access: tenant.access, account: { namespace, name }, deliveryId: randomUUID() }),
      ).toThrow('account');
    }),
    { numRuns: 500 },
  );
  expect(clusters.requestsSent(tenant.access)).toBe(before);
});

test('F3: a credential without a token or without an owner can’t be made', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      if (/^[A-Za-z0-9._~+/-]{16,}=*$/.test(text)) return;
      expect(() => tenantToken('somebody', text, 0)).toThrow('token');
      expect(() => bootstrapToken('somebody', text)).toThrow('token');
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(blank, (account) => {
      expect(() => tenantToken(account, 'a-token-of-somebody-real', 0)).toThrow('named account');
      expect(() => tenantCertificate(account)).toThrow('somebody');
    }),
  );
});

test('F3: an empty bootstrap token makes no call at all, as nobody', async () => {
  const empty = clustersFor([{ ...tenant, bootstrapToken: '' }]);
  try {
    const cluster = bindFor(empty, tenant, randomUUID());
    await expect(cluster.resolve('v1', 'ConfigMap', never)).rejects.toThrow('empty');
    expect(empty.requestsSent(tenant.access)).toBe(0);
  } finally {
    await empty.close();
  }
});

test('F3 twin and audit: everything is done as the tenant; the bootstrap identity does TokenRequest and nothing else', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const items = [item(configMap(tenant.namespace, 'audited', {}), delivery)];
  await cluster.live(delivery, items, never);
  const applied = await apply(cluster, items);
  await cluster.health(delivery, items, never);
  expect((await remove(cluster, delivery, applied, items)).map((one) => one.is)).toEqual(['gone']);
  const care = clusters.care({ scope: tenant.scope, access: tenant.access });
  expect((await care.heartbeat(never)).is).toBe('ready');
  const asBootstrap = await auditOf(shared.auditLogPath, tenant.bootstrapUser);
  expect(asBootstrap.length).toBeGreaterThan(0);
  for (const line of asBootstrap) {
    const isMint =
      line.verb === 'create' && line.resource === 'serviceaccounts' && line.subresource === 'token' && line.name === tenant.account.name;
    expect(isMint || (line.verb === 'get' && ['/version', '/readyz'].includes(line.uri)), JSON.stringify(line)).toBe(true);
  }
  const asTenant = await auditOf(shared.auditLogPath, tenant.user);
  expect(new Set(asTenant.filter((line) => line.namespace !== '').map((line) => line.namespace))).toEqual(new Set([tenant.namespace]));
  expect(new Set(asTenant.map((line) => line.verb))).toEqual(new Set(['get', 'list', 'watch', 'patch', 'delete']));
});

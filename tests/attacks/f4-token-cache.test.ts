import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bootstrap } from '#adapters/kube/bootstrap.ts';
import type { Clusters } from '#adapters/kube/clusters.ts';
import { tenantToken } from '#adapters/kube/credential.ts';
import { createTokens } from '#adapters/kube/tokens.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { apply, auditOf, bindFor, clustersFor, configMap, item, never, onboard, type Tenant } from '#tests/cluster/tenant.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { type SharedCluster, testCluster } from '#tests/harness/parts.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
let west: RunningCluster;
let east: SharedCluster;
let tenants: readonly Tenant[];
let clusters: Clusters;

beforeAll(async () => {
  const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
  west = await startCluster(children, { dir: `${dir()}/west`, name: 'west', controllers: false, tools });
  east = await testCluster();
  tenants = [await onboard(east), await onboard(east), await onboard(west), await onboard(west)];
  clusters = clustersFor(tenants);
});
afterAll(async () => {
  await clusters.close();
  await west.stop();
});

/** 1e5 in the long run; here a sample. */
const rounds = 250;

test('F4: two tenants on two clusters at once: no request is made with another’s token or at another’s cluster', async () => {
  await Promise.all(
    tenants.map(async (tenant, index) => {
      const delivery = randomUUID();
      const cluster = bindFor(clusters, tenant, delivery);
      for (let round = 0; round < rounds; round += 25) {
        const items = Array.from({ length: 25 }, (_, each) =>
          item(configMap(tenant.namespace, `load-${round + each}`, { of: String(index) }), delivery),
        );
        expect((await apply(cluster, items)).every((one) => one.action === 'created')).toBe(true);
      }
    }),
  );
  for (const [index, tenant] of tenants.entries()) {
    const log = index < 2 ? east.auditLogPath : west.auditLogPath;
    const lines = (await auditOf(log, tenant.user)).filter((line) => line.namespace !== '');
    expect(lines.filter((line) => line.verb === 'patch').length).toBe(rounds);
    expect(lines.every((line) => (line.namespace === tenant.namespace && line.code < 300) || line.code === 404)).toBe(true);
    const other = index < 2 ? west.auditLogPath : east.auditLogPath;
    expect(await auditOf(other, tenant.user)).toEqual([]);
  }
});

test('F4: a tenant’s token is nothing at another cluster: the account must be registered there', () => {
  const [first, , third] = tenants;
  expect(() => clusters.bind({ scope: first!.scope, access: third!.access, account: first!.account, deliveryId: randomUUID() })).toThrow(
    'not registered',
  );
});

test('F4: the cache tells tenant, cluster and account apart, and many askers cause one TokenRequest', async () => {
  const tokens = createTokens(systemClock, 100);
  let minted = 0;
  const mintTenant: Bootstrap['mintTenant'] = async (account, _seconds, nowMs) => {
    minted += 1;
    return {
      token: tenantToken(`${account.namespace}/${account.name}`, `token-number-${String(minted).padStart(8, '0')}`, nowMs + 3_600_000),
      lifeMs: 3_600_000,
    };
  };
  const unused = (): never => {
    throw new Error('not used');
  };
  const bootstrap: Bootstrap = { mint: unused, mintTenant, version: unused, ready: unused };
  const scopes = [scopeOfJob({ tenantId: randomUUID() }, 't'), scopeOfJob({ tenantId: randomUUID() }, 't')];
  const keys = scopes.flatMap((scope) =>
    ['c1', 'c2'].flatMap((clusterId) =>
      ['a', 'b'].flatMap((namespace) => ['x', 'y'].map((name) => ({ scope, clusterId, account: { namespace, name } }))),
    ),
  );
  const all = await Promise.all([...keys, ...keys, ...keys].map((key) => tokens.get(key, bootstrap, never)));
  expect(minted).toBe(16);
  expect(new Set(all.map((one) => one.value)).size).toBe(16);
  expect(tokens.size()).toBe(16);
  tokens.drop(keys[0]!, all[1]!);
  expect(tokens.size()).toBe(16);
  tokens.drop(keys[0]!, all[0]!);
  expect(tokens.size()).toBe(15);
});

test('F4: what a tenant writes never becomes a header: there are no Impersonate headers on any request', async () => {
  const tenant = tenants[0]!;
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const evil = item(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'imp', namespace: tenant.namespace, annotations: { 'Impersonate-User': 'system:admin' } },
      data: { 'Impersonate-Group': 'system:masters' },
    },
    delivery,
  );
  expect((await apply(cluster, [evil]))[0]?.action).toBe('created');
  const lines = await auditOf(east.auditLogPath, tenant.user);
  expect(lines.find((line) => line.name === 'imp' && line.verb === 'patch')?.user).toBe(tenant.user);
});

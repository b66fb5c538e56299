import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBootstrap } from '#adapters/kube/bootstrap.ts';
import { apiPath } from '#adapters/kube/paths.ts';
import { createPool } from '#adapters/kube/pool.ts';
import { createTokens, tokenSeconds } from '#adapters/kube/tokens.ts';
import type { Clock } from '#core/time.ts';
import { systemClock } from '#core/time.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { apply, auditOf, bindFor, clustersFor, configMap, field, item, never, onboard, type Tenant } from '#tests/cluster/tenant.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { type SharedCluster, testCluster } from '#tests/harness/parts.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
let east: SharedCluster;
let west: RunningCluster;
let tenant: Tenant;

beforeAll(async () => {
  const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
  west = await startCluster(children, { dir: `${dir()}/west`, name: 'west', controllers: false, tools });
  east = await testCluster();
  tenant = await onboard(east);
});
afterAll(() => west.stop());

function poolTo(server: string, caPem: string) {
  return createPool({ name: 'c', server, caPem, certificate: null, userAgent: 'weir/test', connectLookup: null, clock: systemClock });
}

test('F7: a token is that cluster’s alone, lives an hour at most, and names no audience of ours', async () => {
  const pool = poolTo(tenant.access.server, tenant.access.caBundle);
  const other = poolTo(west.server, west.caPem);
  try {
    const nowMs = Date.now();
    const { token, lifeMs } = await createBootstrap(pool, 'east', async () => tenant.bootstrapToken).mintTenant(
      tenant.account,
      tokenSeconds,
      nowMs,
      never,
    );
    expect(lifeMs).toBeLessThanOrEqual(3_600_000 + 10_000);
    const claims: unknown = JSON.parse(Buffer.from(token.value.split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(field(claims, 'sub')).toBe(tenant.user);
    expect(field(claims, 'aud')).toEqual(['https://kubernetes.default.svc.cluster.local']);
    const ask = {
      method: 'GET',
      path: apiPath('api', 'v1', 'namespaces', tenant.namespace, 'configmaps'),
      credential: token,
      timeoutMs: 5_000,
      maxBytes: 1_000_000,
      signal: never,
    } as const;
    expect((await pool.request(ask)).status).toBe(200);
    expect((await other.request(ask)).status).toBe(401);
  } finally {
    await pool.close();
    await other.close();
  }
});

/** kube-apiserver remembers a good token for 10 s (its token cache), whatever happens to the account. */
const forgetsMs = 11_000;

test('F7, fault 26: a deleted account ends access, with an error that names it and the next step; nobody else acts', async () => {
  const victim = await onboard(east);
  const clusters = clustersFor([victim]);
  try {
    const delivery = randomUUID();
    const cluster = bindFor(clusters, victim, delivery);
    const one = item(configMap(victim.namespace, 'before', {}), delivery);
    expect((await apply(cluster, [one]))[0]?.action).toBe('created');
    await victim.admin.must('DELETE', `/api/v1/namespaces/${victim.account.namespace}/serviceaccounts/${victim.account.name}`);
    await sleep(forgetsMs);
    const after = apply(cluster, [item(configMap(victim.namespace, 'after', {}), delivery)]);
    await expect(after).rejects.toMatchObject({
      code: 'clusterRefused',
      message: expect.stringContaining(`account ${victim.user} does not exist on cluster`),
    });
    expect((await victim.admin.call('GET', `/api/v1/namespaces/${victim.namespace}/configmaps/after`)).status).toBe(404);
    const mints = (await auditOf(east.auditLogPath, victim.bootstrapUser)).filter((line) => line.subresource === 'token');
    expect(mints.map((line) => line.code)).toEqual([201, 404]);
    // The account comes back: the next run works without a restart.
    await victim.admin.must('POST', `/api/v1/namespaces/${victim.account.namespace}/serviceaccounts`, {
      metadata: { name: victim.account.name },
    });
    expect((await apply(cluster, [one]))[0]?.action).toBe('unchanged');
  } finally {
    await clusters.close();
  }
});

test('F7: an account made anew under the same name gets one fresh token, and the run goes on', async () => {
  const victim = await onboard(east);
  const clusters = clustersFor([victim]);
  try {
    const delivery = randomUUID();
    const cluster = bindFor(clusters, victim, delivery);
    const one = item(configMap(victim.namespace, 'kept', {}), delivery);
    await apply(cluster, [one]);
    const path = `/api/v1/namespaces/${victim.account.namespace}/serviceaccounts`;
    await victim.admin.must('DELETE', `${path}/${victim.account.name}`);
    await victim.admin.must('POST', path, { metadata: { name: victim.account.name } });
    await sleep(forgetsMs);
    expect((await apply(cluster, [one]))[0]?.action).toBe('unchanged');
    const mints = (await auditOf(east.auditLogPath, victim.bootstrapUser)).filter((line) => line.subresource === 'token');
    expect(mints.length).toBe(2);
  } finally {
    await clusters.close();
  }
});

test.each([-7_200_000, 0, 7_200_000])('F7: renewed at 80 %% of its life by our own clock, however wrong it is (%d ms)', async (skewMs) => {
  const pool = poolTo(tenant.access.server, tenant.access.caBundle);
  try {
    const time = { nowMs: Date.now() + skewMs };
    const clock: Clock = { nowMs: () => time.nowMs, random: () => 0.5 };
    const tokens = createTokens(clock, 10);
    const bootstrap = createBootstrap(pool, 'east', async () => tenant.bootstrapToken);
    const key = { scope: tenant.scope, clusterId: 'c', account: tenant.account };
    const first = await tokens.get(key, bootstrap, never);
    time.nowMs += 2_800_000;
    expect(await tokens.get(key, bootstrap, never)).toBe(first);
    time.nowMs += 200_000;
    const second = await tokens.get(key, bootstrap, never);
    expect(second.value).not.toBe(first.value);
    expect(second.expiresAtMs - time.nowMs).toBeGreaterThan(3_000_000);
  } finally {
    await pool.close();
  }
});

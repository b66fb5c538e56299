import { beforeAll, describe, expect, it } from 'vitest';
import { openPlatformDb } from '#adapters/postgres/platform-db.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { silentLog } from '#core/log.ts';
import { useApi } from '#tests/contract/api.ts';

/** Design section 4: a shared Cluster, get and list for granted tenants, without status detail. */
const api = useApi();
const path = '/apis/weir.dev/v1/namespaces/weir-system/clusters';

beforeAll(async () => {
  const caBundle = textAt(await api.must(null, '/.well-known/weir-configuration'), 'certificateAuthority') ?? '';
  const weir = (kind: string, name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'weir.dev/v1',
    kind,
    metadata: { name, namespace: 'weir-system', labels: { env: name }, annotations: { note: 'for-other-eyes' } },
    spec,
  });
  for (const name of ['granted', 'withheld']) {
    await api.must('platform', path, { method: 'POST', body: weir('Cluster', name, { server: `https://${name}.test:6443`, caBundle }) });
    const grant = [
      {
        tenant: name === 'granted' ? 'acme' : 'third',
        namespaces: ['apps'],
        serviceAccount: { namespace: 'weir-system', name: 'tenant-acme' },
      },
    ];
    await api.must('platform', path.replace('clusters', 'clustergrants'), {
      method: 'POST',
      body: weir('ClusterGrant', name, { tenants: grant }),
    });
  }
  // What the runtime would show of the cluster to its owner.
  const status = {
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Succeeded',
        message: 'accounts of acme and third',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        observedGeneration: 1,
      },
    ],
    accounts: [{ tenant: 'third', account: 'secret-name' }],
  };
  await api.plane.ask(`update weir.objects set status = $1 where kind = 'Cluster' and name = 'granted'`, [JSON.stringify(status)]);
  const scheduler = await openPlatformDb({ url: api.plane.schedulerUrl, maxConnections: 2, log: silentLog });
  for (let more = true; more; ) more = (await scheduler.drainOutbox(100)).more;
  await scheduler.close();
});

describe('a shared cluster', () => {
  it('is read by members of a granted tenant, without annotations and status detail', async () => {
    for (const person of ['viewer', 'editor', 'admin'] as const) {
      const read = await api.must(person, `${path}/granted`);
      expect(read).toMatchObject({
        kind: 'Cluster',
        metadata: { name: 'granted', namespace: 'weir-system', labels: { env: 'granted' } },
        spec: { server: 'https://granted.test:6443' },
      });
      expect(read['status']).toEqual({ conditions: [expect.objectContaining({ type: 'Ready', status: 'True', message: '' })] });
      for (const hidden of ['third', 'secret-name', 'for-other-eyes']) expect(JSON.stringify(read)).not.toContain(hidden);
    }
  });

  it('stands in lists, there and over all namespaces; one that was not granted does not exist', async () => {
    for (const list of [path, '/apis/weir.dev/v1/clusters']) {
      const text = JSON.stringify(await api.must('viewer', list));
      expect([text.includes('granted.test'), text.includes('withheld')]).toEqual([true, false]);
    }
    const withheld = await api.ask('viewer', `${path}/withheld`);
    expect([withheld.status, withheld.text]).toEqual([
      404,
      (await api.ask('viewer', `${path}/nothing`)).text.replaceAll('nothing', 'withheld'),
    ]);
    expect(JSON.stringify(await api.must('stranger', path))).not.toContain('granted');
  });

  it('is only read, and nothing else of weir-system is seen', async () => {
    expect((await api.ask('admin', `${path}?watch=true&timeoutSeconds=1`)).status).toBe(403);
    expect((await api.ask('admin', `${path}/granted`, { method: 'PATCH', body: { spec: { paused: true } } })).status).toBe(404);
    expect((await api.ask('admin', `${path}/granted`, { method: 'DELETE' })).status).toBe(404);
    expect((await api.ask('admin', `${path}/granted/credentials`)).status).toBe(404);
    expect((await api.ask('admin', path.replace('clusters', 'clustergrants'))).status).toBe(403);
    expect((await api.ask('admin', `${path.replace('clusters', 'clustergrants')}/granted`)).status).toBe(404);
  });

  it('is whole for a platform admin', async () => {
    expect(JSON.stringify(await api.must('platform', `${path}/granted`))).toContain('secret-name');
  });
});

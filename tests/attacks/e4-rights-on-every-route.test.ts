import { describe, expect, it } from 'vitest';
import { checkRoutes } from '#services/api/wire/route.ts';
import { useApi } from '#tests/contract/api.ts';

/** The matrix of routes, verbs and people is tests/contract/permission-matrix.test.ts; here are the cases beside it. */
const api = useApi();

describe('E4: a right on one thing opens nothing else', () => {
  it('a server with a route that declares no right does not start', () => {
    const handler = async () => ({ is: 'text', status: 200, text: '', contentType: 'text/plain' }) as const;
    const open = { method: 'GET', url: '/open', audit: 'open', handler } as const;
    expect(() => checkRoutes([{ ...open, permission: undefined as never }])).toThrow('route GET /open declares no permission');
    expect(() => checkRoutes([{ ...open, permission: { is: 'public', because: '' } }])).toThrow('does not say why');
    expect(() => checkRoutes([{ ...open, permission: { is: 'public', because: 'a test' } }])).not.toThrow();
  });

  it('another namespace of the same tenant is the tenant’s, a stranger’s body does not move the write', async () => {
    const body = (namespace: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace } });
    expect((await api.ask('editor', '/api/v1/namespaces/acme-prod/configmaps', { method: 'POST', body: body('acme-prod') })).status).toBe(
      201,
    );
    const moved = await api.ask('stranger', '/api/v1/namespaces/other/configmaps', { method: 'POST', body: body('acme') });
    expect([moved.status, moved.json['message']]).toEqual([
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ]);
    expect(await api.plane.ask(`select namespace from weir.objects where kind = 'ConfigMap' and name = 'x'`)).toEqual([
      { namespace: 'acme-prod' },
    ]);
  });

  it('a deletecollection takes only what the caller may delete: their own tokens', async () => {
    const token = (name: string) => ({
      apiVersion: 'weir.dev/v1',
      kind: 'AccessToken',
      metadata: { name },
      spec: { verbs: { configmaps: ['get'] }, expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
    });
    const path = '/apis/weir.dev/v1/namespaces/acme/accesstokens';
    await api.must('admin', path, { method: 'POST', body: token('of-admin') });
    await api.must('viewer', path, { method: 'POST', body: token('of-viewer') });
    await api.must('viewer', path, { method: 'DELETE' });
    expect([(await api.ask('admin', `${path}/of-admin`)).status, (await api.ask('admin', `${path}/of-viewer`)).status]).toEqual([200, 404]);
  });

  it('of a deleted tenant nothing is left to anybody, and its name revives nothing', async () => {
    const tenant = {
      apiVersion: 'weir.dev/v1',
      kind: 'Tenant',
      metadata: { name: 'brief' },
      spec: { namespaces: { names: ['brief'] }, members: [{ subject: 'nobody', role: 'admin' }] },
    };
    const path = '/apis/weir.dev/v1/tenants';
    await api.must('platform', path, { method: 'POST', body: tenant });
    expect((await api.ask('nobody', `${path}/brief`)).status).toBe(200);
    await api.must('platform', `${path}/brief`, { method: 'DELETE' });
    expect((await api.ask('nobody', `${path}/brief`)).status).toBe(404);
    expect(
      (
        await api.ask('nobody', '/api/v1/namespaces', {
          method: 'POST',
          body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'brief' } },
        })
      ).status,
    ).toBe(403);
    await api.must('platform', path, { method: 'POST', body: { ...tenant, spec: { namespaces: { names: ['brief'] } } } });
    expect((await api.ask('nobody', `${path}/brief`)).status).toBe(404);
  });
});

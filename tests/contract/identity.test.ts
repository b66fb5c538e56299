import { describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api.ts';

const api = useApi();

describe('who calls', () => {
  it('a person of the real provider reads their namespaces', async () => {
    const list = await api.must('viewer', '/api/v1/namespaces');
    expect(JSON.stringify(list['items'])).toContain('"acme-prod"');
  });

  it.each([
    ['no header', {}],
    ['an empty token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['two tokens', { authorization: 'Bearer a b' }],
    ['nonsense', { authorization: 'Bearer nonsense' }],
    ['a token of ours that nobody made', { authorization: `Bearer weir_${'a'.repeat(16)}_${'b'.repeat(43)}` }],
    ['a token of ours, cut short', { authorization: 'Bearer weir_abc' }],
  ])('%s: 401, and nothing more is said', async (_what, headers) => {
    const reply = await api.ask(null, '/api/v1/namespaces', { headers });
    expect([reply.status, reply.json]).toEqual([
      401,
      { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
    ]);
  });

  it.each(['Impersonate-User', 'impersonate-group', 'IMPERSONATE-UID', 'Impersonate-Extra-scopes'])(
    '%s: 403, whoever asks',
    async (name) => {
      for (const person of ['viewer', 'platform'] as const) {
        const reply = await api.ask(person, '/api/v1/namespaces', { headers: { [name]: 'system:admin' } });
        expect([reply.status, reply.json['reason']]).toEqual([403, 'Forbidden']);
      }
      expect((await api.ask(null, '/api/v1/namespaces', { headers: { [name]: 'x' } })).status).toBe(401);
    },
  );

  it('who is removed from the tenant is out at once, with the same token', async () => {
    const path = '/apis/weir.dev/v1/tenants/acme';
    const before = await api.must('admin', path);
    const members = [
      { subject: 'viewer', role: 'viewer' },
      { subject: 'admin', role: 'admin' },
    ];
    expect((await api.ask('nobody', '/api/v1/namespaces/acme/configmaps')).status).toBe(403);
    await api.must('admin', path, { method: 'PATCH', body: { spec: { members: [...members, { subject: 'nobody', role: 'viewer' }] } } });
    expect((await api.ask('nobody', '/api/v1/namespaces/acme/configmaps')).status).toBe(200);
    await api.must('admin', path, { method: 'PATCH', body: { spec: { members } } });
    expect((await api.ask('nobody', '/api/v1/namespaces/acme/configmaps')).status).toBe(403);
    expect(before['kind']).toBe('Tenant');
  });

  it('an admin of the tenant changes members and groups and nothing else', async () => {
    const path = '/apis/weir.dev/v1/tenants/acme';
    for (const spec of [{ displayName: 'Mine' }, { suspend: true }, { namespaces: { names: ['other'] } }, { sourceAllow: [] }]) {
      expect((await api.ask('admin', path, { method: 'PATCH', body: { spec } })).status).toBe(403);
    }
    expect((await api.ask('admin', path, { method: 'PATCH', body: { metadata: { labels: { a: 'b' } } } })).status).toBe(403);
    expect((await api.ask('platform', path, { method: 'PATCH', body: { spec: { displayName: 'Acme' } } })).status).toBe(200);
  });
});

describe('what is public', () => {
  it('tells how to log in', async () => {
    const info = await api.must(null, '/.well-known/weir-configuration');
    expect(info).toMatchObject({
      server: 'https://weir.test',
      oidc: { issuer: api.oidc.issuer, clientId: 'weir-cli', certificateAuthority: expect.stringContaining('BEGIN CERTIFICATE') },
    });
  });

  it.each(['/livez', '/readyz', '/healthz'])('%s', async (path) => {
    expect((await api.ask(null, path)).text).toBe('ok');
    expect((await api.ask(null, `${path}?verbose`)).text).toBe(`[+]ping ok\n${path.slice(1)} check passed\n`);
  });
});

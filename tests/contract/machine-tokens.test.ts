import { describe, expect, it } from 'vitest';
import { type JsonObject, textAt } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import { type Person, useApi } from '#tests/contract/api.ts';

const api = useApi();
const tokensPath = '/apis/weir.dev/v1/namespaces/acme/accesstokens';
const accountsPath = '/api/v1/namespaces/acme/serviceaccounts';
const configMaps = '/api/v1/namespaces/acme/configmaps';
const tenantPath = '/apis/weir.dev/v1/tenants/acme';
const members = [
  { subject: 'viewer', role: 'viewer' },
  { subject: 'admin', role: 'admin' },
];

function tokenObject(name: string, verbs: JsonObject, lifeMs = 3_600_000): JsonObject {
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'AccessToken',
    metadata: { name },
    spec: { verbs, expiresAt: rfc3339(api.clock.nowMs() + lifeMs) },
  };
}

async function makeToken(as: Person, name: string, verbs: JsonObject, lifeMs?: number): Promise<string> {
  const made = await api.must(as, tokensPath, { method: 'POST', body: tokenObject(name, verbs, lifeMs) });
  return textAt(made, 'status', 'token') ?? '';
}

const statusOf = async (token: string, path: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', body?: JsonObject): Promise<number> =>
  (await api.ask(null, path, { method, token, ...(body === undefined ? {} : { body }) })).status;

describe('AccessToken', () => {
  it('shows its value once: in the answer to its creation, and nowhere after', async () => {
    const token = await makeToken('viewer', 'once', { configmaps: ['list'] });
    expect(token).toMatch(/^weir_[a-z2-7]{16}_[A-Za-z0-9_-]{43}$/);
    const read = await api.ask('viewer', `${tokensPath}/once`);
    expect(textAt(read.json, 'status', 'prefix')).toBe(token.slice(0, 21));
    const list = await api.ask('admin', tokensPath);
    const watch = await api.ask('admin', `${tokensPath}?watch=true&timeoutSeconds=1`);
    const secret = token.slice(22);
    const rows = await api.plane.ask(
      `select o::text as t from weir.objects o union all select c::text from weir.change_log c union all select a::text from weir.access_tokens a union all select d::text from weir.dir_tokens d union all select x::text from weir.audit x`,
    );
    for (const text of [read.text, list.text, watch.text, JSON.stringify(rows), api.logged()]) expect(text).not.toContain(secret);
    expect(watch.text).toContain('once');
  });

  it('may what it lists, within the role of its maker', async () => {
    const token = await makeToken('viewer', 'narrow', { configmaps: ['list', 'get'] });
    expect(await statusOf(token, configMaps)).toBe(200);
    expect(await statusOf(token, '/api/v1/namespaces/acme/events')).toBe(403);
    expect(await statusOf(token, configMaps, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } })).toBe(403);
    expect(await statusOf(token, '/api/v1/namespaces/other/configmaps')).toBe(403);
    expect(await statusOf(token, '/api/v1/namespaces/other/configmaps/x')).toBe(404);
  });

  it('cannot be made with more than its maker has; * only ever means the maker’s own rights', async () => {
    expect((await api.ask('viewer', tokensPath, { method: 'POST', body: tokenObject('wide', { configmaps: ['create'] }) })).status).toBe(
      403,
    );
    expect((await api.ask('editor', tokensPath, { method: 'POST', body: tokenObject('wide', { secrets: ['get'] }) })).status).toBe(403);
    expect((await api.ask('viewer', tokensPath, { method: 'POST', body: tokenObject('wide', { pods: ['get'] }) })).status).toBe(422);
    const token = await makeToken('viewer', 'star', { '*': ['get', 'list', 'create', 'delete'] });
    expect(await statusOf(token, configMaps)).toBe(200);
    expect(await statusOf(token, '/api/v1/namespaces/acme/secrets')).toBe(403);
    expect(await statusOf(token, configMaps, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } })).toBe(403);
  });

  it('works for a maker who is a member through a group, and ends with the group', async () => {
    const token = await makeToken('editor', 'by-group', { configmaps: ['list', 'create'] });
    expect(await statusOf(token, configMaps)).toBe(200);
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { groups: [{ oidcGroup: 'acme-editors', role: 'viewer' }] } } });
    expect(await statusOf(token, configMaps)).toBe(200);
    expect(await statusOf(token, configMaps, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } })).toBe(403);
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { groups: [] } } });
    expect(await statusOf(token, configMaps)).toBe(403);
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { groups: [{ oidcGroup: 'acme-editors', role: 'editor' }] } } });
    expect(await statusOf(token, configMaps)).toBe(200);
  });

  it('never outgrows the role its maker had when it was made', async () => {
    const token = await makeToken('viewer', 'old', { '*': ['list', 'create'] });
    const promoted = members.map((one) => ({ ...one, role: 'admin' }));
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { members: promoted } } });
    expect(await statusOf(token, configMaps)).toBe(200);
    expect(await statusOf(token, '/api/v1/namespaces/acme/secrets')).toBe(403);
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { members } } });
  });

  it('is refused at once after it was deleted (threats H9: at most 5 s)', async () => {
    const token = await makeToken('viewer', 'revoked', { configmaps: ['list'] });
    expect(await statusOf(token, configMaps)).toBe(200);
    await api.must('viewer', `${tokensPath}/revoked`, { method: 'DELETE' });
    expect(await statusOf(token, configMaps)).toBe(401);
  });

  it('is refused when its maker leaves the tenant', async () => {
    const token = await makeToken('viewer', 'leaver', { configmaps: ['list'] });
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { members: members.slice(1) } } });
    expect(await statusOf(token, configMaps)).toBe(403);
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { members } } });
  });

  it('makes no tokens, neither AccessTokens nor those of ServiceAccounts', async () => {
    await api.must('admin', accountsPath, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
    });
    const token = await makeToken('admin', 'parent', { '*': ['get', 'list', 'create'], 'serviceaccounts/token': ['create'] });
    expect(await statusOf(token, tokensPath, 'POST', tokenObject('child', { configmaps: ['list'] }))).toBe(403);
    expect(await statusOf(token, `${accountsPath}/robot/token`, 'POST', {})).toBe(403);
  });

  it('of others is not seen but by admins', async () => {
    await makeToken('admin', 'of-admin', { configmaps: ['list'] });
    expect((await api.ask('viewer', `${tokensPath}/of-admin`)).text).toBe(
      (await api.ask('viewer', `${tokensPath}/of-nobody`)).text.replaceAll('of-nobody', 'of-admin'),
    );
    expect((await api.ask('viewer', `${tokensPath}/of-admin`, { method: 'DELETE' })).status).toBe(404);
    expect((await api.ask('admin', `${tokensPath}/once`)).status).toBe(200);
    expect((await api.ask('viewer', tokensPath)).text).not.toContain('of-admin');
  });

  it.each([
    ['in the past', -1_000],
    ['in ten seconds', 10_000],
    ['in ten years', 315_360_000_000],
  ])('with an end %s: 422', async (_what, lifeMs) => {
    expect(
      (await api.ask('viewer', tokensPath, { method: 'POST', body: tokenObject('odd', { configmaps: ['list'] }, lifeMs) })).status,
    ).toBe(422);
  });

  it('of a dry run is no token', async () => {
    const reply = await api.must('viewer', `${tokensPath}?dryRun=All`, {
      method: 'POST',
      body: tokenObject('dry', { configmaps: ['list'] }),
    });
    expect(textAt(reply, 'status', 'token')).toBeUndefined();
    expect((await api.ask('viewer', `${tokensPath}/dry`)).status).toBe(404);
  });
});

describe('ServiceAccount token', () => {
  const request = (spec: JsonObject = {}): JsonObject => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
  const account = async (name: string): Promise<void> =>
    void (await api.must('admin', accountsPath, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    }));

  it('is a member like any other: it may what Tenant.spec.members gives its name, and ends with its account', async () => {
    await account('ci');
    const made = await api.must('admin', `${accountsPath}/ci/token`, { method: 'POST', body: request({ expirationSeconds: 600 }) });
    expect(made).toMatchObject({ kind: 'TokenRequest', spec: { expirationSeconds: 600, audiences: ['https://weir.test'] } });
    const token = textAt(made, 'status', 'token') ?? '';
    expect(await statusOf(token, configMaps)).toBe(403);
    await api.must('admin', tenantPath, {
      method: 'PATCH',
      body: { spec: { members: [...members, { subject: 'system:serviceaccount:acme:ci', role: 'editor' }] } },
    });
    expect(await statusOf(token, configMaps)).toBe(200);
    expect(await statusOf(token, configMaps, 'POST', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'by-ci' } })).toBe(201);
    expect(await statusOf(token, '/api/v1/namespaces/acme/secrets')).toBe(403);
    await api.must('admin', `${accountsPath}/ci`, { method: 'DELETE' });
    expect(await statusOf(token, configMaps)).toBe(401);
    await account('ci');
    expect(await statusOf(token, configMaps)).toBe(401);
    await api.must('admin', tenantPath, { method: 'PATCH', body: { spec: { members } } });
  });

  it('lives at least ten minutes and at most as the platform says', async () => {
    await account('short');
    const path = `${accountsPath}/short/token`;
    const refused = await api.ask('admin', path, { method: 'POST', body: request({ expirationSeconds: 599 }) });
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('may not specify a duration less than 10 minutes')]);
    expect(await api.must('admin', path, { method: 'POST', body: request({ expirationSeconds: 10_000_000 }) })).toMatchObject({
      spec: { expirationSeconds: 86_400 },
    });
    expect((await api.ask('admin', path, { method: 'POST', body: request({ audiences: ['vault'] }) })).status).toBe(422);
    expect((await api.ask('admin', `${accountsPath}/nobody/token`, { method: 'POST', body: request() })).status).toBe(404);
    expect((await api.ask('editor', path, { method: 'POST', body: request() })).status).toBe(403);
    expect((await api.ask('stranger', path, { method: 'POST', body: request() })).text).toBe(
      (await api.ask('admin', `${accountsPath}/nobody/token`, { method: 'POST', body: request() })).text.replaceAll('nobody', 'short'),
    );
  });

  it('ends with its time', async () => {
    await account('late');
    const token =
      textAt(
        await api.must('admin', `${accountsPath}/late/token`, { method: 'POST', body: request({ expirationSeconds: 600 }) }),
        'status',
        'token',
      ) ?? '';
    expect(await statusOf(token, configMaps)).toBe(403);
    api.clock.advance(601_000);
    expect(await statusOf(token, configMaps)).toBe(401);
  });
});

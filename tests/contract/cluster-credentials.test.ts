import { beforeAll, describe, expect, it } from 'vitest';
import { stringifyJson } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import { useApi } from '#tests/contract/api.ts';

const api = useApi();
const canary = 'canary-bootstrap-7d21';
const path = '/apis/weir.dev/v1/namespaces/acme/clusters/private/credentials';

beforeAll(async () => {
  const info = await api.must(null, '/.well-known/weir-configuration');
  const spec = { server: 'https://cluster.test:6443', caBundle: info['certificateAuthority'] ?? '' };
  await api.must('admin', '/apis/weir.dev/v1/namespaces/acme/clusters', {
    method: 'POST',
    body: { apiVersion: 'weir.dev/v1', kind: 'Cluster', metadata: { name: 'private' }, spec },
  });
});

describe('clusters/credentials', () => {
  it('takes a token, seals it and never shows it', async () => {
    expect(await api.must('admin', path)).toMatchObject({ kind: 'ClusterCredentials', status: { present: false } });
    const expiresAt = rfc3339(api.clock.nowMs() + 86_400_000);
    const posted = await api.ask('admin', path, { method: 'POST', body: { token: canary, expiresAt } });
    expect([posted.status, posted.json]).toEqual([
      201,
      expect.objectContaining({ status: { present: true, issuedAt: expect.any(String), expiresAt } }),
    ]);
    const read = await api.ask('platform', path);
    expect(read.json).toMatchObject({ status: { present: true, expiresAt } });
    const rows = await api.plane.ask(
      `select encode(sealed, 'escape') as s from weir.cluster_credentials union all select x::text from weir.audit x union all select o::text from weir.objects o`,
    );
    expect(rows.length).toBeGreaterThan(1);
    for (const text of [posted.text, read.text, JSON.stringify(rows), api.logged()]) expect(text).not.toContain(canary);
  });

  it('reads the end of a JWT from the token itself', async () => {
    const exp = Math.floor(api.clock.nowMs() / 1_000) + 3_600;
    const token = ['{"alg":"RS256"}', stringifyJson({ exp, iat: exp - 7_200 }), 'x']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    expect(await api.must('admin', path, { method: 'POST', body: { token } })).toMatchObject({
      status: { expiresAt: rfc3339(exp * 1_000), issuedAt: rfc3339((exp - 7_200) * 1_000) },
    });
  });

  it.each([
    ['no token', {}, 422],
    ['an empty token', { token: '' }, 422],
    ['a token with a line break', { token: `${canary}\nx` }, 422],
    ['a token without any end', { token: canary }, 422],
    ['an end in the past', { token: canary, expiresAt: '2020-01-01T00:00:00Z' }, 422],
    ['an end that is no time', { token: canary, expiresAt: 'soon' }, 422],
    ['a kubeconfig beside it', { token: canary, kubeconfig: 'apiVersion: v1' }, 400],
  ])('%s: refused without quoting it', async (_what, body, status) => {
    const reply = await api.ask('admin', path, { method: 'POST', body });
    expect([reply.status, reply.text.includes(canary)]).toEqual([status, false]);
  });

  it('a stranger learns nothing, and members below admin may not', async () => {
    expect([
      (await api.ask('viewer', path)).status,
      (await api.ask('editor', path, { method: 'POST', body: { token: canary } })).status,
    ]).toEqual([403, 403]);
    const foreign = await api.ask('stranger', path);
    const missing = await api.ask('stranger', '/apis/weir.dev/v1/namespaces/other/clusters/private/credentials');
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  });

  it('goes with the cluster', async () => {
    await api.must('admin', '/apis/weir.dev/v1/namespaces/acme/clusters/private', { method: 'DELETE' });
    expect(await api.plane.ask('select 1 from weir.cluster_credentials')).toEqual([]);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { textAt } from '#core/json.ts';
import { pathDigest } from '#kinds/receiver/path.ts';
import { useApi } from '#tests/contract/api.ts';
import {
  genuineHeaders,
  type HookType,
  hookToken,
  makeRepository,
  openHook,
  receiversPath,
  reconcileReceiver,
  repositoriesPath,
  triggers,
} from '#tests/contract/receivers.ts';

const api = useApi();
const body = '{"ref":"refs/heads/main"}';
const types: readonly HookType[] = ['github', 'gitlab', 'generic', 'generic-hmac'];
const hooks = new Map<HookType, Readonly<{ path: string; uid: string }>>();
const post = (path: string, headers: Readonly<Record<string, string>>, sent: string = body) =>
  api.ask(null, path, { method: 'POST', body: sent, headers: { 'content-type': 'application/json', ...headers } });
const pathOf = (type: HookType): string => hooks.get(type)?.path ?? '';

beforeAll(async () => {
  for (const type of types) hooks.set(type, await openHook(api, type, `by-${type}`));
});

describe('a genuine call (definitions.md 7.3)', () => {
  it.each(types)('%s: 200, and the named source is due at once with a new requestedAt and cause webhook', async (type) => {
    const before = (await triggers(api))[`acme/by-${type}`] ?? 0;
    const reply = await post(pathOf(type), genuineHeaders(type, body));
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect((await triggers(api))[`acme/by-${type}`]).toBe(before + 1);
    const source = await api.must('admin', `${repositoriesPath}/by-${type}`);
    expect(textAt(source, 'metadata', 'annotations', 'reconcile.fluxcd.io/requestedAt')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const [work] = await api.plane.ask(
      `select w.cause, w.due_at <= clock_timestamp() as due from weir.work w join weir.objects o on o.uid = w.unit_id where o.kind = 'GitRepository' and o.name = $1`,
      [`by-${type}`],
    );
    expect(work).toMatchObject({ cause: 'webhook', due: true });
  });

  it('the path is the one of flux trigger receiver', () => {
    expect(pathOf('github')).toBe(`/hook/${pathDigest(Buffer.from(hookToken), { name: 'by-github', namespace: 'acme' })}`);
  });

  it('wakes by label and across namespaces of the tenant, and nothing else', async () => {
    await makeRepository(api, 'front', { tier: 'web' });
    await makeRepository(api, 'back', { tier: 'db' });
    await makeRepository(api, 'far', {}, 'admin', 'acme-prod');
    await makeRepository(api, 'far', {}, 'stranger', 'other');
    const { path } = await openHook(api, 'generic', 'wide', {
      resources: [
        { kind: 'GitRepository', name: '*', matchLabels: { tier: 'web' } },
        { kind: 'GitRepository', name: 'far', namespace: 'acme-prod' },
      ],
    });
    const before = await triggers(api);
    expect((await post(path, {})).status).toBe(200);
    const after = await triggers(api);
    const moved = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(moved.toSorted()).toEqual(['acme-prod/far', 'acme/front']);
  });

  it('leaves one audit entry and a log line without the path', async () => {
    const rows = await api.plane.ask(`select a::text as t from weir.audit a where a::text like '%webhook%' and a::text like '%by-github%'`);
    expect(rows.length).toBeGreaterThan(0);
    for (const type of types) expect(api.logged()).not.toContain(pathOf(type).slice(6));
    expect(api.logged()).toContain('webhook received');
  });
});

describe('other answers', () => {
  it('400 when the proof fails, 404 for an unknown path, whatever it looks like', async () => {
    expect((await post(pathOf('github'), {})).status).toBe(400);
    expect((await post(pathOf('github'), genuineHeaders('github', body, 'another-token'))).status).toBe(400);
    const unknown = await post(`/hook/${'ab'.repeat(32)}`, {});
    expect(unknown.status).toBe(404);
    for (const path of [
      '/hook/x',
      `/hook/${'AB'.repeat(32)}`,
      `/hook/${'0'.repeat(64)}`,
      '/hook/%00',
      `/hook/${pathOf('github').slice(6, 69)}`,
    ])
      expect((await post(path, {})).text).toBe(unknown.text);
  });

  it('400 for an event that is not listed', async () => {
    const { path } = await openHook(api, 'github', 'picky', { events: ['push'] });
    expect((await post(path, { ...genuineHeaders('github', body), 'x-github-event': 'ping' })).status).toBe(400);
    expect((await post(path, { ...genuineHeaders('github', body), 'x-github-event': 'PUSH' })).status).toBe(200);
  });

  it('413 over 3 MiB', async () => {
    const reply = await post(pathOf('generic'), {}, 'x'.repeat(3_145_729));
    expect([reply.status, reply.json['message']]).toEqual([413, 'Request entity too large: limit is 3145728']);
  });

  it('503 while suspended', async () => {
    const { path } = await openHook(api, 'generic', 'sleepy');
    await api.must('admin', `${receiversPath}/sleepy`, { method: 'PATCH', body: { spec: { suspend: true } } });
    expect((await post(path, {})).status).toBe(503);
  });

  it('500 when a named object is missing; those that exist are woken', async () => {
    await makeRepository(api, 'there', {});
    const { path } = await openHook(api, 'generic', 'partly', {
      resources: [
        { kind: 'GitRepository', name: 'there' },
        { kind: 'GitRepository', name: 'gone' },
        { kind: 'GitRepository', name: 'far', namespace: 'other' },
      ],
    });
    const before = (await triggers(api))['acme/there'] ?? 0;
    const foreign = (await triggers(api))['other/far'];
    const reply = await post(path, {});
    expect([reply.status, reply.text]).toEqual([500, expect.stringContaining('2 of the resources')]);
    expect([(await triggers(api))['acme/there'], (await triggers(api))['other/far']]).toEqual([before + 1, foreign]);
  });

  it('a new token ends the old path at once, even before the receiver was reconciled', async () => {
    const { path, uid } = await openHook(api, 'generic', 'rotated');
    expect((await post(path, {})).status).toBe(200);
    await api.must('admin', '/api/v1/namespaces/acme/secrets/rotated', {
      method: 'PATCH',
      body: { stringData: { token: 'another-token-of-forty-random-characters' } },
    });
    expect((await post(path, {})).status).toBe(404);
    await api.must('admin', `${receiversPath}/rotated`, {
      method: 'PATCH',
      body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
    });
    expect(await reconcileReceiver(api, uid)).toBe('done');
    const renewed = textAt(await api.must('admin', `${receiversPath}/rotated`), 'status', 'webhookPath') ?? '';
    expect(renewed).not.toBe(path);
    expect([(await post(path, {})).status, (await post(renewed, {})).status]).toEqual([404, 200]);
  });

  it('a secret that went away empties the path: TokenNotFound', async () => {
    const { path, uid } = await openHook(api, 'generic', 'bare');
    await api.must('admin', '/api/v1/namespaces/acme/secrets/bare', { method: 'DELETE' });
    await api.must('admin', `${receiversPath}/bare`, {
      method: 'PATCH',
      body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
    });
    await reconcileReceiver(api, uid);
    const status = JSON.stringify((await api.must('admin', `${receiversPath}/bare`))['status']);
    expect(status).toContain('TokenNotFound');
    expect(status).toContain('"webhookPath":""');
    expect((await post(path, {})).status).toBe(404);
  });

  it('a type of a later release is stalled, and has no path', async () => {
    const { path, uid } = await openHook(api, 'generic', 'later', { type: 'gcr' });
    expect([path, uid === '']).toEqual(['', false]);
    expect(JSON.stringify((await api.must('admin', `${receiversPath}/later`))['status'])).toContain('UnsupportedField');
  });
});

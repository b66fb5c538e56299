import { beforeAll, describe, expect, it } from 'vitest';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const path = '/api/v1/namespaces/acme/secrets';
const canary = 'canary-7f3a9c';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const mergeType = { 'content-type': 'application/merge-patch+json' };
const jsonPatchType = { 'content-type': 'application/json-patch+json' };
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

beforeAll(async () => {
  await api.newTenant('acme', { ann: 'admin', ed: 'editor', vic: 'viewer' });
  const made = await api.ask(path, {
    method: 'POST',
    as: 'ed',
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'git', annotations: { [LAST_APPLIED]: `{"data":"${canary}"}` } },
      data: { user: base64('bot') },
      stringData: { password: canary },
    },
  });
  expect(made.status, made.text + api.logged.join('\n')).toBe(201);
  expect(made.body).toMatchObject({ type: 'Opaque', data: { password: null, user: null } });
  expect(made.text).not.toContain(base64(canary));
  expect(made.text).not.toContain(canary);
});

async function audited(): Promise<number> {
  const [row] = await api.plane.ask('select count(*)::int as n from weir.audit where entry::text like \'%"values":"read"%\'');
  return Number(row?.n);
}

describe('values', () => {
  it('come back to an admin, and each read is audited', async () => {
    const before = await audited();
    const got = await api.ask(`${path}/git`, { as: 'ann' });
    expect(got).toMatchObject({ status: 200, body: { data: { password: base64(canary), user: base64('bot') } } });
    expect(Object.keys(got.body)).not.toContain('stringData');
    const list = await api.ask(path, { as: 'ann' });
    expect(list.body).toMatchObject({ items: [{ data: { password: base64(canary) } }] });
    expect(await audited()).toBe(before + 2);
  });

  it.each(['ed', 'vic', 'root'])('are refused to %s', async (as) => {
    for (const one of [`${path}/git`, path, `${path}?watch=1`]) expect((await api.ask(one, { as })).status).toBe(403);
  });

  it('are in no table, metadata, event or log, and at rest only sealed', async () => {
    const table = await api.ask(path, { as: 'ann', headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
    expect(table.body).toMatchObject({ rows: [{ cells: ['git', 'Opaque', 2, expect.any(String)] }] });
    const metadata = await api.ask(`${path}/git`, {
      as: 'ann',
      headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    });
    for (const answer of [table, metadata]) {
      expect(answer.text).not.toContain(base64(canary));
      expect(answer.text).not.toContain(canary);
    }
    for (const name of ['objects', 'change_log', 'audit', 'outbox', 'work']) {
      const rows = await api.plane.ask(`select t::text as line from weir.${name} t`);
      const text = rows
        .map((row) => String(row.line))
        .join('\n')
        .replaceAll(LAST_APPLIED, '');
      expect(text, name).not.toContain(base64(canary));
    }
    expect(api.logged.join('\n')).not.toContain(canary);
  });

  it('reach a watch of an admin', async () => {
    const watch = await api.watch(`${path}?watch=1`, { as: 'ann' });
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { data: { password: base64(canary) } } });
    await api.ask(`${path}/git`, { method: 'PATCH', as: 'ed', body: { stringData: { extra: 'more' } }, headers: mergeType });
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { data: { password: base64(canary), extra: base64('more') } } });
    watch.close();
  });
});

describe('an editor', () => {
  it('changes one value and keeps the others without seeing them', async () => {
    const done = await api.ask(`${path}/git`, { method: 'PATCH', as: 'ed', body: { data: { user: base64('robot') } }, headers: mergeType });
    expect(done).toMatchObject({ status: 200, body: { data: { password: null, user: null } } });
    const got = await api.ask(`${path}/git`, { as: 'ann' });
    expect(got.body).toMatchObject({
      data: { password: base64(canary), user: base64('robot') },
      metadata: { annotations: { [LAST_APPLIED]: expect.any(String) } },
    });
  });

  it.each<[string, JsonObject[]]>([
    [
      'copy a value into an annotation',
      [
        { op: 'add', path: '/metadata/annotations', value: {} },
        { op: 'copy', from: '/data/password', path: '/metadata/annotations/x' },
      ],
    ],
    [
      'copy a value into a label',
      [
        { op: 'add', path: '/metadata/labels', value: {} },
        { op: 'copy', from: '/data/password', path: '/metadata/labels/x' },
      ],
    ],
    ['move a value to another key', [{ op: 'move', from: '/data/password', path: '/data/shown' }]],
    [
      'copy a value into stringData',
      [
        { op: 'add', path: '/stringData', value: {} },
        { op: 'copy', from: '/data/password', path: '/stringData/shown' },
      ],
    ],
    ['copy the whole data', [{ op: 'copy', from: '/data', path: '/metadata/annotations' }]],
    ['copy a value into the type', [{ op: 'copy', from: '/data/password', path: '/type' }]],
    [
      'copy a value into a finalizer',
      [
        { op: 'add', path: '/metadata/finalizers', value: [] },
        { op: 'copy', from: '/data/password', path: '/metadata/finalizers/-' },
      ],
    ],
  ])('cannot %s', async (_what, patch) => {
    const refused = await api.ask(`${path}/git`, { method: 'PATCH', as: 'ed', body: patch, headers: jsonPatchType });
    expect([400, 422], refused.text).toContain(refused.status);
    expect(refused.text).not.toContain(base64(canary));
    const got = await api.ask(`${path}/git`, { as: 'ann' });
    expect(got.body.data).toMatchObject({ password: base64(canary) });
    expect(Object.keys(at(got.body, 'data') as object).toSorted()).toEqual(['extra', 'password', 'user']);
  });

  it('cannot find out a value by testing or by guessing', async () => {
    for (const value of [base64(canary), canary, null]) {
      const tested = await api.ask(`${path}/git`, {
        method: 'PATCH',
        as: 'ed',
        body: [{ op: 'test', path: '/data/password', value }],
        headers: jsonPatchType,
      });
      expect(tested.status).toBe(422);
      expect(tested.text).not.toContain(base64(canary));
    }
    const versionOf = (body: JsonObject) => textAt(body, 'metadata', 'resourceVersion');
    const before = versionOf((await api.ask(`${path}/git`, { as: 'ann' })).body);
    const right = await api.ask(`${path}/git`, {
      method: 'PATCH',
      as: 'ed',
      body: { stringData: { password: canary } },
      headers: mergeType,
    });
    expect(versionOf(right.body), 'a right guess looks like a wrong one').not.toBe(before);
  });

  it('cannot write a mask back', async () => {
    const shown = await api.ask(`${path}/git?dryRun=All`, { method: 'PATCH', as: 'ed', body: {}, headers: mergeType });
    expect(shown.body).toMatchObject({ data: { password: null } });
    const put = await api.ask(`${path}/git`, { method: 'PUT', as: 'ed', body: shown.body });
    expect(put.status, put.text).toBe(422);
    expect((await api.ask(`${path}/git`, { as: 'ann' })).body).toMatchObject({ data: { password: base64(canary) } });
  });

  it('sees no value in a refusal', async () => {
    const bad = await api.ask(`${path}/git`, {
      method: 'PATCH',
      as: 'ed',
      body: { data: { 'bad key!': base64(canary) }, stringData: { n: 5 } },
      headers: mergeType,
    });
    expect(bad.status).toBe(422);
    expect(bad.text).not.toContain(base64(canary));
    const broken = await api.ask(path, {
      method: 'POST',
      as: 'ed',
      body: `{"apiVersion":"v1","kind":"Secret","stringData":{"a":"${canary}"},,}`,
    });
    expect(broken.status).toBe(400);
    expect(broken.text).not.toContain(canary);
  });
});

describe('an immutable secret', () => {
  it('keeps its values', async () => {
    await api.ask(path, {
      method: 'POST',
      as: 'ed',
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fixed' }, immutable: true, stringData: { a: 'b' } },
    });
    const refused = await api.ask(`${path}/fixed`, { method: 'PATCH', as: 'ann', body: { stringData: { a: 'c' } }, headers: mergeType });
    expect(refused).toMatchObject({ status: 422, body: { details: { causes: [{ field: 'data', reason: 'FieldValueForbidden' }] } } });
  });
});

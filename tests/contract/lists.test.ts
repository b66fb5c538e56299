import { beforeAll, describe, expect, it } from 'vitest';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi({ limits: { waitForVersionMs: 600 } });
const path = '/api/v1/namespaces/acme/configmaps';
const namesOf = (body: JsonObject) => (body.items as { metadata: { name: string } }[]).map((one) => one.metadata.name);
const versionOf = (body: JsonObject) => textAt(body, 'metadata', 'resourceVersion');

async function create(name: string, labels: Record<string, string> = {}, namespace = 'acme', as = 'jane'): Promise<void> {
  const made = await api.ask(`/api/v1/namespaces/${namespace}/configmaps`, {
    method: 'POST',
    as,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } },
  });
  expect(made.status, made.text + api.logged.join('\n')).toBe(201);
}

beforeAll(async () => {
  await api.newTenant('acme', { jane: 'editor', vic: 'viewer', both: 'viewer' });
  await api.newTenant('zeta', { both: 'editor', zed: 'editor' });
  for (const name of ['b', 'a', 'd.x', 'c', 'd-x']) await create(name, { tier: name < 'c' ? 'app' : 'web' });
  await create('z', {}, 'zeta', 'zed');
});

describe('order and selectors', () => {
  it('goes by name in byte order', async () => {
    expect(namesOf((await api.ask(path, { as: 'vic' })).body)).toEqual(['a', 'b', 'c', 'd-x', 'd.x']);
  });

  it.each([
    ['labelSelector=tier%3Dapp', ['a', 'b']],
    ['labelSelector=tier+in+(app,web),tier!%3Dapp', ['c', 'd-x', 'd.x']],
    ['labelSelector=!tier', []],
    ['labelSelector=tier', ['a', 'b', 'c', 'd-x', 'd.x']],
    ['fieldSelector=metadata.name%3Dc', ['c']],
    ['fieldSelector=metadata.name!%3Dc,metadata.namespace%3Dacme', ['a', 'b', 'd-x', 'd.x']],
  ])('%s', async (query, names) => {
    const list = await api.ask(`${path}?${query}`, { as: 'vic' });
    expect(list.status, list.text).toBe(200);
    expect(namesOf(list.body)).toEqual(names);
  });

  it.each([
    ['fieldSelector=data.a%3Db', 'field label not supported: data.a'],
    ['fieldSelector=status.phase%3DActive', 'field label not supported: status.phase'],
    ['labelSelector=tier+in+app', 'unable to parse requirement'],
    ['labelSelector=%2F%2F%2F', 'unable to parse requirement'],
    ['limit=ten', 'strconv.ParseInt'],
    ['resourceVersion=abc', 'invalid resource version'],
    ['resourceVersion=01', 'invalid resource version'],
  ])('%s is 400', async (query, message) => {
    const refused = await api.ask(`${path}?${query}`, { as: 'vic' });
    expect(refused).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
    expect(refused.body.message).toContain(message);
  });
});

describe('pages', () => {
  it('show one snapshot, whatever is written meanwhile', async () => {
    const first = await api.ask(`${path}?limit=2`, { as: 'vic' });
    expect(namesOf(first.body)).toEqual(['a', 'b']);
    await create('bb');
    await create('e');
    await api.ask(`${path}/c`, { method: 'DELETE', as: 'jane' });
    await api.ask(`${path}/d.x`, {
      method: 'PATCH',
      as: 'jane',
      body: { data: { late: 'yes' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    const names: string[] = [];
    let token = textAt(first.body, 'metadata', 'continue');
    for (let page = 0; token !== undefined && page < 10; page += 1) {
      const next = await api.ask(`${path}?limit=2&continue=${encodeURIComponent(token)}`, { as: 'vic' });
      expect(next.status, next.text).toBe(200);
      expect(versionOf(next.body)).toBe(versionOf(first.body));
      expect(next.text).not.toContain('late');
      names.push(...namesOf(next.body));
      token = textAt(next.body, 'metadata', 'continue');
    }
    expect(names).toEqual(['c', 'd-x', 'd.x']);
    const exact = await api.ask(`${path}?resourceVersionMatch=Exact&resourceVersion=${versionOf(first.body)}`, { as: 'vic' });
    expect(namesOf(exact.body)).toEqual(['a', 'b', 'c', 'd-x', 'd.x']);
    expect(namesOf((await api.ask(path, { as: 'vic' })).body)).toEqual(['a', 'b', 'bb', 'd-x', 'd.x', 'e']);
  });

  it('are bound to caller, path and selectors', async () => {
    const first = await api.ask(`${path}?limit=2`, { as: 'vic' });
    const token = encodeURIComponent(textAt(first.body, 'metadata', 'continue') ?? '');
    const foreign = [
      { at: `${path}?limit=2&continue=${token}`, as: 'jane' },
      { at: `/api/v1/configmaps?limit=2&continue=${token}`, as: 'vic' },
      { at: `${path}?limit=2&labelSelector=tier&continue=${token}`, as: 'vic' },
      { at: `${path}?limit=2&continue=${token}x`, as: 'vic' },
      { at: `${path}?limit=2&continue=abc`, as: 'vic' },
    ];
    for (const { at: where, as } of foreign) {
      const refused = await api.ask(where, { as });
      expect(refused).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
      expect(refused.body.message).toContain('invalid continue token');
    }
    const both = await api.ask(`${path}?continue=${token}&resourceVersion=5`, { as: 'vic' });
    expect(both.body).toMatchObject({ code: 400, message: 'specifying resource version is not allowed when using continue' });
  });

  it('of an expired snapshot are 410', async () => {
    const first = await api.ask(`${path}?limit=2`, { as: 'vic' });
    await create('f');
    await api.plane.ask('update weir.version_counter set log_floor = n');
    const token = encodeURIComponent(textAt(first.body, 'metadata', 'continue') ?? '');
    const next = await api.ask(`${path}?limit=2&continue=${token}`, { as: 'vic' });
    expect(next).toMatchObject({ status: 410, body: { reason: 'Expired' } });
    expect(next.body.message).toContain('The provided continue parameter is too old');
  });

  it('are never forced on a list that did not ask', async () => {
    const list = await api.ask(`${path}?limit=0`, { as: 'vic' });
    expect(at(list.body, 'metadata', 'continue')).toBeUndefined();
    expect(namesOf(list.body)).toHaveLength(7);
  });
});

describe('versions', () => {
  it.each([
    ['resourceVersionMatch=Exact', 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    ['resourceVersionMatch=Exact&resourceVersion=0', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'],
    ['sendInitialEvents=true', 'sendInitialEvents is forbidden for list'],
  ])('%s is 422', async (query, message) => {
    const refused = await api.ask(`${path}?${query}`, { as: 'vic' });
    expect(refused).toMatchObject({ status: 422, body: { reason: 'Invalid', details: { kind: 'ListOptions' } } });
    expect(refused.body.message).toContain(message);
  });

  it('not there yet are waited for, then 504 with the cause that client-go looks for', async () => {
    for (const one of [`${path}?resourceVersion=99999999`, `${path}/a?resourceVersion=99999999`]) {
      const startMs = Date.now();
      const late = await api.ask(one, { as: 'vic' });
      expect(late).toMatchObject({
        status: 504,
        headers: { 'retry-after': '1' },
        body: { reason: 'Timeout', details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] } },
      });
      expect(late.body.message).toMatch(/^Timeout: Too large resource version: 99999999, current: \d+$/);
      expect(Date.now() - startMs).toBeGreaterThanOrEqual(550);
    }
  });
});

describe('a list over all namespaces', () => {
  it('covers the caller’s own, each tenant under its own scope, in one snapshot', async () => {
    const both = await api.ask('/api/v1/configmaps', { as: 'both' });
    expect(both.status).toBe(200);
    const places = (both.body.items as { metadata: { namespace: string; name: string } }[]).map(
      ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
    );
    expect(places).toEqual(places.toSorted());
    expect(places).toContain('zeta/z');
    expect(places).toContain('acme/a');
    const one = await api.ask('/api/v1/configmaps', { as: 'zed' });
    expect(namesOf(one.body)).toEqual(['z']);
    expect(one.text).not.toContain('acme');
  });

  it('pages over tenants', async () => {
    const names: string[] = [];
    let query = 'limit=3';
    for (let page = 0; page < 10; page += 1) {
      const list = await api.ask(`/api/v1/configmaps?${query}`, { as: 'both' });
      names.push(...namesOf(list.body));
      const token = textAt(list.body, 'metadata', 'continue');
      if (token === undefined) break;
      query = `limit=3&continue=${encodeURIComponent(token)}`;
    }
    expect(names).toEqual(['a', 'b', 'bb', 'd-x', 'd.x', 'e', 'f', 'z']);
  });

  it('of namespaces holds those one sees', async () => {
    expect(namesOf((await api.ask('/api/v1/namespaces', { as: 'both' })).body)).toEqual(['acme', 'zeta']);
    expect((await api.ask('/api/v1/namespaces', { as: 'nobody' })).status).toBe(403);
  });
});

describe('forms', () => {
  it('Table, with wide columns and the chosen object', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io, application/json';
    const table = await api.ask(`${path}?includeObject=None&limit=1`, { as: 'vic', headers: { accept } });
    expect(table).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        columnDefinitions: [{ name: 'Name', format: 'name' }, { name: 'Data' }, { name: 'Age', type: 'date' }],
      },
    });
    expect(Object.keys((table.body.rows as object[])[0] ?? {})).toEqual(['cells']);
    const missing = await api.ask(`${path}/none`, { as: 'vic', headers: { accept } });
    expect(missing, 'a Status is never projected').toMatchObject({ status: 404, body: { kind: 'Status' } });
  });

  it('metadata only, for the header of metadata clients', async () => {
    const accept =
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
    const list = await api.ask(path, { as: 'vic', headers: { accept } });
    expect(list.body).toMatchObject({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: expect.any(String) },
    });
    expect((list.body.items as object[])[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
  });

  it('YAML', async () => {
    const yaml = await api.ask(`${path}/a`, { as: 'vic', headers: { accept: 'application/yaml' } });
    expect(yaml.headers['content-type']).toBe('application/yaml');
    expect(yaml.text).toContain('kind: ConfigMap\n');
  });

  it('protobuf alone is 406', async () => {
    const refused = await api.ask(path, { as: 'vic', headers: { accept: 'application/vnd.kubernetes.protobuf' } });
    expect(refused).toMatchObject({ status: 406, body: { reason: 'NotAcceptable' } });
  });
});

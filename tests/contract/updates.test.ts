import { beforeAll, describe, expect, it } from 'vitest';
import { at, type Json, type JsonObject, textAt } from '#core/json.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const path = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations';
const merge = { 'content-type': 'application/merge-patch+json' };
const operations = { 'content-type': 'application/json-patch+json' };
const versionOf = (body: JsonObject) => textAt(body, 'metadata', 'resourceVersion');
const object = (name: string, more: object = {}) => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name },
  spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'src' } },
  ...more,
});

async function fresh(name: string): Promise<JsonObject> {
  const made = await api.ask(path, { method: 'POST', as: 'jane', body: object(name) });
  expect(made.status, made.text + api.logged.join('\n')).toBe(201);
  return made.body;
}
const patch = (name: string, body: Json, headers = merge, query = '') =>
  api.ask(`${path}/${name}${query}`, { method: 'PATCH', as: 'jane', body, headers });

beforeAll(() => api.newTenant('acme', { jane: 'editor' }));

describe('generation and version', () => {
  it('move with the spec, and not with labels, annotations, finalizers or status', async () => {
    await fresh('gen');
    const labelled = await patch('gen', { metadata: { labels: { a: 'b' }, annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } });
    expect(labelled.body).toMatchObject({ metadata: { generation: 1, labels: { a: 'b' } } });
    const status = await patch('gen', { status: { observedGeneration: 99 } });
    expect(status.body).toMatchObject({ metadata: { generation: 1 }, status: { observedGeneration: -1 } });
    expect(versionOf(status.body)).toBe(versionOf(labelled.body));
    const spec = await patch('gen', { spec: { interval: '5m' } });
    expect(spec.body).toMatchObject({ metadata: { generation: 2 }, spec: { interval: '5m' } });
  });

  it('a write that changes nothing keeps the number and sends no event', async () => {
    const made = await fresh('still');
    const watch = await api.watch(`${path}?watch=1&resourceVersion=${versionOf(made)}`, { as: 'jane' });
    const same = await api.ask(`${path}/still`, { method: 'PUT', as: 'jane', body: made });
    expect(same.status, same.text).toBe(200);
    expect(versionOf(same.body)).toBe(versionOf(made));
    expect(versionOf((await patch('still', { spec: { interval: '10m' } })).body)).toBe(versionOf(made));
    expect(await watch.next(600)).toBeNull();
    watch.close();
  });
});

describe('PUT', () => {
  it('needs the version it is based on', async () => {
    const made = await fresh('put');
    const { resourceVersion: _version, ...metadata } = made.metadata as JsonObject;
    const without = await api.ask(`${path}/put`, { method: 'PUT', as: 'jane', body: { ...made, metadata } });
    expect(without).toMatchObject({
      status: 422,
      body: {
        details: {
          kind: 'kustomizations',
          causes: [{ field: 'metadata.resourceVersion', message: 'Invalid value: 0x0: must be specified for an update' }],
        },
      },
    });
    await patch('put', { spec: { interval: '1m' } });
    const stale = await api.ask(`${path}/put`, { method: 'PUT', as: 'jane', body: made });
    expect(stale).toMatchObject({
      status: 409,
      body: {
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on kustomizations.kustomize.toolkit.fluxcd.io "put": the object has been modified; please apply your changes to the latest version and try again',
      },
    });
  });

  it('creates nothing, and changes no name', async () => {
    const made = await fresh('named');
    expect(
      (
        await api.ask(`${path}/absent`, {
          method: 'PUT',
          as: 'jane',
          body: { ...made, metadata: { name: 'absent', resourceVersion: '1' } },
        })
      ).status,
    ).toBe(404);
    const renamed = await api.ask(`${path}/named`, {
      method: 'PUT',
      as: 'jane',
      body: { ...made, metadata: { ...(made.metadata as object), name: 'else' } },
    });
    expect(renamed).toMatchObject({
      status: 400,
      body: { message: 'the name of the object (else) does not match the name on the URL (named)' },
    });
  });
});

describe('PATCH', () => {
  it('takes its version as a precondition', async () => {
    const made = await fresh('pre');
    await patch('pre', { spec: { path: './a' } });
    const stale = await patch('pre', { metadata: { resourceVersion: versionOf(made) ?? '' }, spec: { path: './b' } });
    expect(stale).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
  });

  it('names the operation that failed, and changes nothing then', async () => {
    const made = await fresh('ops');
    const failed = await patch(
      'ops',
      [
        { op: 'replace', path: '/spec/interval', value: '1m' },
        { op: 'test', path: '/spec/prune', value: false },
      ],
      operations,
    );
    expect(failed.status).toBe(422);
    expect(failed.body.message).toContain('operation 1 (test /spec/prune)');
    expect(versionOf((await api.ask(`${path}/ops`, { as: 'jane' })).body)).toBe(versionOf(made));
    const done = await patch(
      'ops',
      [
        { op: 'test', path: '/spec/prune', value: true },
        { op: 'remove', path: '/spec/prune' },
        { op: 'add', path: '/spec/prune', value: false },
      ],
      operations,
    );
    expect(done.body).toMatchObject({ spec: { prune: false } });
  });

  it.each<[string, Json, Record<string, string>]>([
    ['merge __proto__', JSON.parse('{"__proto__": {"polluted": true}, "spec": {"__proto__": {"polluted": true}}}') as Json, merge],
    ['json __proto__', [{ op: 'add', path: '/__proto__/polluted', value: true }], operations],
    ['json constructor', [{ op: 'add', path: '/constructor/prototype/polluted', value: true }], operations],
  ])('cannot reach a prototype (threats D6): %s', async (_what, body, headers) => {
    await api.ask(path, { method: 'POST', as: 'jane', body: object('proto') });
    await patch('proto', body, headers as typeof merge);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect((await api.ask(`${path}/proto`, { as: 'jane' })).text).not.toContain('polluted');
  });

  it('of two at once loses neither', async () => {
    await fresh('race');
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_unused, index) => patch('race', { metadata: { labels: { [`l${index}`]: 'x' } } })),
    );
    expect(answers.filter((one) => one.status === 200).length, api.logged.join('\n')).toBeGreaterThanOrEqual(5);
    const got = await api.ask(`${path}/race`, { as: 'jane' });
    for (const [index, one] of answers.entries()) if (one.status === 200) expect(at(got.body, 'metadata', 'labels', `l${index}`)).toBe('x');
  });

  it('uid, namespace and force are refused', async () => {
    await fresh('fixed');
    expect(await patch('fixed', { metadata: { uid: 'other' } })).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: 'metadata.uid', message: 'Invalid value: "other": field is immutable' }] } },
    });
    expect(await patch('fixed', { metadata: { namespace: 'other' } })).toMatchObject({ status: 400 });
    expect(await patch('fixed', {}, merge, '?force=true')).toMatchObject({ status: 422, body: { details: { kind: 'PatchOptions' } } });
  });
});

describe('dryRun', () => {
  it('answers like the real thing and leaves nothing', async () => {
    const before = versionOf((await api.ask(path, { as: 'jane' })).body);
    const made = await api.ask(`${path}?dryRun=All`, { method: 'POST', as: 'jane', body: object('dry') });
    expect(made).toMatchObject({ status: 201, body: { metadata: { name: 'dry', uid: expect.any(String) } } });
    expect(versionOf(made.body)).toBeUndefined();
    expect((await api.ask(`${path}/dry`, { as: 'jane' })).status).toBe(404);
    expect(versionOf((await api.ask(path, { as: 'jane' })).body)).toBe(before);
    const [row] = await api.plane.ask('select count(*)::int as n from weir.audit where entry::text like \'%"dry"%\'');
    expect(row?.n).toBe(0);
  });

  it('refuses other values', async () => {
    expect(await api.ask(`${path}?dryRun=Some`, { method: 'POST', as: 'jane', body: object('dry') })).toMatchObject({
      status: 422,
      body: { details: { kind: 'CreateOptions', causes: [{ field: 'dryRun' }] } },
    });
  });
});

describe('DELETE', () => {
  it('waits for finalizers; the last one lets it go', async () => {
    await fresh('bye');
    const first = await api.ask(`${path}/bye`, { method: 'DELETE', as: 'jane', body: { propagationPolicy: 'Background' } });
    expect(first).toMatchObject({
      status: 200,
      body: { kind: 'Kustomization', metadata: { generation: 2, deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 0 } },
    });
    const again = await api.ask(`${path}/bye`, { method: 'DELETE', as: 'jane' });
    expect(versionOf(again.body)).toBe(versionOf(first.body));
    const added = await patch('bye', { metadata: { finalizers: ['finalizers.fluxcd.io', 'more.test/x'] } });
    expect(added).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: 'metadata.finalizers', reason: 'FieldValueForbidden' }] } },
    });
    const edited = await patch('bye', { spec: { interval: '1m' } });
    expect(edited.body).toMatchObject({ metadata: { generation: 3 } });
    expect((await patch('bye', { metadata: { finalizers: null } })).status).toBe(200);
    expect((await api.ask(`${path}/bye`, { as: 'jane' })).status).toBe(404);
  });

  it('obeys preconditions and policies', async () => {
    await fresh('guarded');
    const wrong = await api.ask(`${path}/guarded`, { method: 'DELETE', as: 'jane', body: { preconditions: { uid: 'other' } } });
    expect(wrong).toMatchObject({ status: 409, body: { reason: 'Conflict', details: { kind: 'Kustomization' } } });
    expect(wrong.body.message).toContain('Precondition failed: UID in precondition: other');
    const orphan = await api.ask(`${path}/guarded?propagationPolicy=Orphan`, { method: 'DELETE', as: 'jane' });
    expect(orphan).toMatchObject({ status: 422 });
    expect(orphan.body.message).toContain('spec.deletionPolicy');
  });

  it('of a collection honours selectors, and needs a namespace', async () => {
    const maps = '/api/v1/namespaces/acme/configmaps';
    for (const name of ['x', 'y', 'z'])
      await api.ask(maps, {
        method: 'POST',
        as: 'jane',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { pick: String(name !== 'z') } } },
      });
    const gone = await api.ask(`${maps}?labelSelector=pick%3Dtrue`, { method: 'DELETE', as: 'jane' });
    expect(gone).toMatchObject({
      status: 200,
      body: { kind: 'ConfigMapList', items: [{ metadata: { name: 'x' } }, { metadata: { name: 'y' } }] },
    });
    expect((await api.ask(maps, { as: 'jane' })).body).toMatchObject({ items: [{ metadata: { name: 'z' } }] });
    expect((await api.ask('/api/v1/configmaps', { method: 'DELETE', as: 'jane' })).status).toBe(405);
  });
});

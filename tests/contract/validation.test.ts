import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const path = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations';
const spec = { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'src' } };
const object = (name: string, more: object = {}, metadata: object = {}) => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name, ...metadata },
  spec: { ...spec, ...more },
});
const post = (body: object | string, query = '') =>
  api.ask(`${path}${query}`, { method: 'POST', as: 'jane', body: typeof body === 'string' ? body : JSON.stringify(body) });

beforeAll(() => api.newTenant('acme', { jane: 'editor' }));

describe('unknown and duplicate fields', () => {
  const twice = JSON.stringify(object('dup', { foo: 1 })).replace('"interval":"10m"', '"interval":"1m","interval":"10m"');

  it('Strict refuses with 400 and names them', async () => {
    expect(await post(twice, '?fieldValidation=Strict')).toMatchObject({
      status: 400,
      body: {
        reason: 'BadRequest',
        message:
          'Kustomization in version "v1" cannot be handled as a Kustomization: strict decoding error: duplicate field "spec.interval", unknown field "spec.foo"',
      },
    });
  });

  it('Warn, the default, drops them and says so', async () => {
    const made = await post(twice);
    expect(made).toMatchObject({ status: 201, body: { spec: { interval: '10m' } } });
    expect([made.headers.warning].flat()).toEqual(['299 - "duplicate field \\"spec.interval\\""', '299 - "unknown field \\"spec.foo\\""']);
    expect(made.text).not.toContain('foo');
  });

  it('Ignore drops them without a word', async () => {
    const made = await post(object('quiet', { foo: 1 }), '?fieldValidation=Ignore');
    expect(made.status).toBe(201);
    expect(made.headers.warning).toBeUndefined();
  });

  it('other values are 422', async () => {
    expect(await post(object('x'), '?fieldValidation=Maybe')).toMatchObject({ status: 422, body: { details: { kind: 'CreateOptions' } } });
  });
});

describe('schema and rules', () => {
  it('report all causes at once, sorted by field', async () => {
    const refused = await post({ ...object('bad', { interval: '5x', prune: 'yes' }), spec: { interval: '5x', prune: 'yes' } });
    expect(refused).toMatchObject({
      status: 422,
      body: { reason: 'Invalid', details: { name: 'bad', group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' } },
    });
    const causes = (refused.body.details as unknown as { causes: { field: string }[] }).causes.map((cause) => cause.field);
    expect(causes).toEqual(['spec.interval', 'spec.prune', 'spec.sourceRef']);
    expect(refused.body.message).toMatch(
      /^Kustomization\.kustomize\.toolkit\.fluxcd\.io "bad" is invalid: \[spec\.interval: Invalid value/,
    );
  });

  it.each([
    [{ apiVersion: 'v1', kind: 'Kustomization' }, 400],
    [{ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'GitRepository' }, 400],
    [{ kind: 'Kustomization', apiVersion: '' }, 400],
  ])('%j is not what this path takes', async (type, status) => {
    expect((await post({ metadata: { name: 't' }, spec, ...type })).status).toBe(status);
  });

  it('a namespace in the body must be that of the URL', async () => {
    expect(await post(object('x', {}, { namespace: 'other' }))).toMatchObject({
      status: 400,
      body: { message: 'the namespace of the provided object does not match the namespace sent on the request' },
    });
  });

  it('a rule of Flux’s CRD holds', async () => {
    const refused = await post(object('kc', { kubeConfig: {} }));
    expect(refused.status).toBe(422);
    expect(refused.body.message).toContain('spec.kubeConfig');
  });
});

describe('threats D9: names, labels and annotations by the rules of Kubernetes', () => {
  it.each([
    ['', 422],
    ['a', 201],
    ['b'.repeat(63), 201],
    ['c'.repeat(64), 201],
    ['d'.repeat(253), 201],
    ['e'.repeat(254), 422],
    ['UPPER', 422],
    ['-x', 422],
    ['x.', 422],
    ['x_y', 422],
    ['x.y-z', 201],
    ['a/b', 422],
    ['ü', 422],
  ])('name "%.20s…" of its length is %i', async (name, status) => {
    expect((await post(object(name))).status).toBe(status);
  });

  it.each([
    ['label key', { labels: { 'a b': 'x' } }, 422],
    ['label value', { labels: { a: 'x'.repeat(64) } }, 422],
    ['label value with a space', { labels: { a: 'x y' } }, 422],
    ['label of no text', { labels: { a: 5 } }, 400],
    ['annotations over 256 KiB', { annotations: { a: 'x'.repeat(262_144) } }, 422],
    ['annotations of 256 KiB', { annotations: { a: 'x'.repeat(262_143) } }, 201],
    ['finalizer', { finalizers: ['not ok'] }, 422],
    ['owner without uid', { ownerReferences: [{ apiVersion: 'v1', kind: 'A', name: 'b' }] }, 400],
  ])('%s', async (what, metadata, status) => {
    expect((await post(object(`m-${what.replaceAll(/[^a-z]/g, '')}`, {}, metadata))).status).toBe(status);
  });

  it('generateName gets five characters', async () => {
    const made = await post({ ...object(''), metadata: { generateName: 'job-' } });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ metadata: { name: expect.stringMatching(/^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/) } });
  });
});

describe('big integers', () => {
  it('survive where any content is kept, and are refused where the schema says how large', async () => {
    const refused = await post(JSON.stringify(object('big')).replace('"prune":true', '"prune":12345678901234567890'));
    expect(refused.status).toBe(422);
    const patch = '{"metadata":{"annotations":{"n":"12345678901234567890"}}}';
    await post(object('bigger'));
    const done = await api.ask(`${path}/bigger`, {
      method: 'PATCH',
      as: 'jane',
      body: patch,
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(done.text).toContain('12345678901234567890');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api.ts';
import { samples } from '#tests/contract/samples.ts';

const api = useApi();

/** Accepted types, spelled so that a parser may read the body where a checker looked away. */
const bases = [
  'application/json',
  'application/yaml',
  'application/merge-patch+json',
  'application/json-patch+json',
  'text/plain',
  'application/octet-stream',
];
const spellings: readonly string[] = [
  ...bases.flatMap((base) => [
    base,
    base.toUpperCase(),
    `${base};`,
    `${base} ;charset=utf-8`,
    `${base}\t; charset=utf-8`,
    `${base};charset=utf-8;charset=utf-16`,
    `${base} x`,
    `${base}\tx`,
    `${base},text/html`,
    `${base}, application/xml`,
    ` ${base}`,
    `${base} `,
    `x${base}`,
    `${base}x`,
    `${base}/`,
    base.replace('/', ' / '),
    base.replace('/', '//'),
    `"${base}"`,
    `${base};=`,
    `${base}; charset`,
    `${base}%00`,
    `${base}\u00a0`,
    `${base};a="`,
  ]),
  '',
  ' ',
  '/',
  ';',
  'json',
  '*/*',
  'application/*',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/cbor',
  'application/vnd.kubernetes.protobuf',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
];
/** Breaks the schema of every kind: no object of it may pass anywhere. */
const broken = '{"apiVersion":"v1","kind":"Nothing","metadata":{"name":"k1"},"spec":7,"data":7}';

describe('K1: a body is validated or refused, never neither', () => {
  const routes = Object.entries(samples('', 0))
    .filter(([plural]) => plural !== 'deliveries')
    .flatMap(([plural, sample]) => {
      const collection = sample.path.replace(':namespace', 'acme');
      return [
        ['POST', collection],
        ['PUT', `${collection}/k1`],
        ['PATCH', `${collection}/k1`],
      ].map(([method, path]) => ({ plural, method, path }));
    });
  const cases = fc.sample(fc.tuple(fc.constantFrom(...spellings), fc.constantFrom(...routes)), { numRuns: 600, seed: 32_442 });

  it(`600 of ${spellings.length} spellings × ${routes.length} write routes`, async () => {
    for (const [spelling, { method, path }] of cases) {
      const person = path?.includes('/tenants') === true ? 'platform' : 'admin';
      const reply = await api
        .ask(person, path ?? '', {
          method: method === 'PUT' ? 'PUT' : method === 'PATCH' ? 'PATCH' : 'POST',
          body: Buffer.from(broken),
          headers: { 'content-type': spelling },
        })
        .catch(() => null);
      // A header that HTTP itself forbids never leaves the client.
      if (reply === null) continue;
      expect(
        [400, 403, 404, 405, 415, 422],
        `${method} ${path} ${JSON.stringify(spelling)}: ${reply.status} ${reply.text.slice(0, 200)}`,
      ).toContain(reply.status);
    }
    expect(api.logged()).not.toContain('a request failed by a bug of ours');
  });

  it.each(spellings.filter((one) => /^[\x20-\x7e\t]*$/.test(one)))(
    'POST of a ConfigMap as %j: 415, or the schema speaks',
    async (spelling) => {
      const reply = await api.ask('admin', '/api/v1/namespaces/acme/configmaps', {
        method: 'POST',
        body: Buffer.from(broken),
        headers: { 'content-type': spelling },
      });
      expect([400, 415, 422]).toContain(reply.status);
    },
  );

  it('nothing of it was stored', async () => {
    expect(await api.plane.ask(`select 1 from weir.objects where name = 'k1'`)).toEqual([]);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/yaml', undefined])(
    'benign twin: a valid object as %j',
    async (type) => {
      const body = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'twin' }, data: { a: 'b' } }));
      const reply = await api.ask('admin', '/api/v1/namespaces/acme/configmaps?dryRun=All', {
        method: 'POST',
        body,
        headers: type === undefined ? {} : { 'content-type': type },
      });
      expect(reply.status).toBe(201);
    },
  );

  it.each(['/nowhere', '/hook', '/apis/none/v1/things'])('a strange type on the unknown path %s is no bug of ours', async (path) => {
    for (const spelling of ['x', 'application/json x', ';', 'a/b/c'])
      expect(
        (await api.ask('admin', path, { method: 'POST', body: Buffer.from('x'), headers: { 'content-type': spelling } })).status,
      ).toBeLessThan(500);
  });
});

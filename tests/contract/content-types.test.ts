import { request as httpsRequest } from 'node:https';
import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const path = '/api/v1/namespaces/acme/configmaps';
const unknownField = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":5}}';

beforeAll(async () => {
  await api.newTenant('acme', { jane: 'editor' });
  await api.ask(path, { method: 'POST', as: 'jane', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'here' } } });
});

/** Sends the header as it is: clients of test libraries repair some of these. */
function raw(method: string, url: string, headers: Record<string, string>, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      `${api.url}${url}`,
      {
        method,
        ca: api.caPem,
        headers: { authorization: 'Bearer jane', 'content-length': String(Buffer.byteLength(body)), ...headers },
        insecureHTTPParser: true,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => void (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

const types = [
  'application/json',
  'application/yaml',
  'application/merge-patch+json',
  'application/json-patch+json',
  'text/plain',
  'application/cbor',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
];
const spellings = types.flatMap((type) => [
  type,
  type.toUpperCase(),
  `${type} `,
  `${type};`,
  `${type}; charset=utf-8`,
  `${type}; charset=utf-16`,
  `${type};charset=utf-8;charset=utf-8`,
  `${type}; boundary=x`,
  `${type}\ta`,
  `${type}\t`,
  ` ${type}`,
  `${type} a`,
  `${type},text/plain`,
  `${type}/x`,
  `${type};a`,
  `${type};a=`,
  `${type};"`,
  `x${type}`,
  `${type}x`,
  `${type}+json`,
  type.replace('/', ' /'),
  type.replace('/', '/ '),
  `${type}; Charset=UTF-8`,
  `;${type}`,
  `${type}#`,
]);

describe('threats K1: a content type is refused or the body is validated, never neither', () => {
  it.each([
    ['POST', path],
    ['PUT', `${path}/here`],
    ['PATCH', `${path}/here`],
  ])('%s in 200 spellings', async (method, url) => {
    expect(spellings.length).toBeGreaterThanOrEqual(200);
    for (const type of spellings) {
      const answer = await raw(method, url, { 'content-type': type }, unknownField);
      // 400: the list of operations that a JSON patch is, or a refused type; 422: the schema looked at `data.a`.
      expect([400, 415, 422], `${type}: ${answer.text}`).toContain(answer.status);
    }
    const got = await api.ask(`${path}/here`, { as: 'jane' });
    expect(got.body).not.toHaveProperty('data');
    expect((await api.ask(`${path}/x`, { as: 'jane' })).status).toBe(404);
  });

  it('a POST without a type is read as JSON', async () => {
    const answer = await raw('POST', path, {}, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"python"}}');
    expect(answer.status, answer.text).toBe(201);
  });

  it.each([
    ['POST', path, 'application/json, application/yaml'],
    ['PATCH', `${path}/here`, 'application/json-patch+json, application/merge-patch+json'],
  ])('%s of another type names what is accepted', async (method, url, accepted) => {
    const answer = await raw(method, url, { 'content-type': 'text/plain' }, '{}');
    expect(answer.status).toBe(415);
    expect(answer.text).toContain(`the body of the request was in an unknown format - accepted media types include: ${accepted}`);
  });
});

describe('patch types that are not served', () => {
  it('strategic merge of a Flux kind says --type=merge', async () => {
    const refused = await api.ask('/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations/x', {
      method: 'PATCH',
      as: 'jane',
      body: {},
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    });
    expect(refused).toMatchObject({ status: 415, body: { reason: 'UnsupportedMediaType' } });
    expect(refused.body.message).toContain('--type=merge');
  });

  it('apply is never a merge in disguise', async () => {
    const refused = await api.ask(`${path}/here?fieldManager=x`, {
      method: 'PATCH',
      as: 'jane',
      body: { data: { a: 'b' } },
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
    expect(refused.status).toBe(415);
    expect(refused.body.message).toContain('without --server-side');
  });
});

describe('sizes', () => {
  it('3 MiB is the limit, declared or not', async () => {
    const big = `{"pad":"${'x'.repeat(3_145_728)}"}`;
    const declared = await raw('POST', path, { 'content-type': 'text/plain' }, big);
    expect(declared.status, 'size before type').toBe(413);
    expect(declared.text).toContain('Request entity too large: limit is 3145728');
    const chunked = await new Promise<number>((resolve, reject) => {
      const call = httpsRequest(
        `${api.url}${path}`,
        { method: 'POST', ca: api.caPem, headers: { authorization: 'Bearer jane', 'content-type': 'application/json' } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      call.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
      );
      for (let sent = 0; sent < big.length; sent += 65_536) call.write(big.slice(sent, sent + 65_536));
      call.end();
    });
    expect(chunked).toBe(413);
  });
});

describe('bodies', () => {
  it.each([
    ['application/json', '{"a":', 'is not valid JSON'],
    ['application/json', '[]', 'must be an object'],
    ['application/json', '\ufeff{}', 'is not valid JSON'],
    ['application/yaml', 'a: [', 'is not valid YAML'],
    ['application/yaml', 'a: 1\n---\nb: 2\n', 'one YAML document'],
  ])('%s %s', async (type, body, message) => {
    const answer = await raw('POST', path, { 'content-type': type }, body);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.text).toContain(message);
  });

  it('an alias bomb is refused quickly (threats D5)', async () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]`),
    ].join('\n');
    const startMs = Date.now();
    const answer = await raw('POST', path, { 'content-type': 'application/yaml' }, bomb);
    expect(answer.status).toBe(400);
    expect(Date.now() - startMs).toBeLessThan(1_000);
  });

  it('bytes that are no UTF-8 are refused', async () => {
    const answer = await api.ask(path, { method: 'POST', as: 'jane', body: Buffer.from([0x7b, 0xff, 0x7d]) });
    expect(answer.status).toBe(400);
  });

  it('YAML means the same as JSON', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\ndata:\n  path: .\n  yes: "on"\n';
    const answer = await raw('POST', path, { 'content-type': 'application/yaml' }, yaml);
    expect(answer.status, answer.text).toBe(201);
    expect((await api.ask(`${path}/from-yaml`, { as: 'jane' })).body).toMatchObject({ data: { path: '.', true: 'on' } });
  });
});

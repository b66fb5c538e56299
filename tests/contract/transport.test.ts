import { connect } from 'node:http2';
import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
beforeAll(() => api.newTenant('acme', { jane: 'editor' }));
const path = '/api/v1/namespaces/acme/configmaps';

type Http2Reply = Readonly<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>;

function overHttp2(headers: Record<string, string>, body: string, enough: (text: string) => boolean): Promise<Http2Reply> {
  return new Promise((resolve, reject) => {
    const session = connect(api.url, { ca: api.caPem });
    session.on('error', reject);
    const stream = session.request({ ':method': 'GET', authorization: 'Bearer jane', ...headers }, { endStream: body === '' });
    let answer: Record<string, unknown> = {};
    let text = '';
    const done = (): void => {
      session.destroy();
      resolve({ status: Number(answer[':status']), headers: answer, text });
    };
    stream.setEncoding('utf8');
    stream.on('response', (got) => void (answer = { ...got }));
    stream.on('data', (chunk: string) => {
      text += chunk;
      if (enough(text)) done();
    });
    stream.on('end', done);
    stream.on('error', reject);
    if (body !== '') stream.end(body);
  });
}

describe('HTTP/2 by ALPN, beside HTTP/1.1 on the same port', () => {
  it('reads and writes', async () => {
    const made = await overHttp2(
      { ':method': 'POST', ':path': path, 'content-type': 'application/json' },
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"two"}}',
      () => false,
    );
    expect(made.status, made.text + api.logged.join('\n')).toBe(201);
    const got = await overHttp2({ ':path': `${path}/two` }, '', () => false);
    expect(got).toMatchObject({ status: 200 });
    expect(JSON.parse(got.text)).toMatchObject({ metadata: { name: 'two' } });
  });

  it('streams a watch event by event', async () => {
    const watch = await overHttp2({ ':path': `${path}?watch=1` }, '', (text) => text.includes('"two"'));
    expect(watch.status).toBe(200);
    expect(watch.text).toContain('"type":"ADDED"');
  });
});

describe('every answer', () => {
  it.each([
    ['/version', ''],
    ['/api/v1/namespaces/acme', 'jane'],
    ['/nowhere', 'jane'],
    ['/api/v1/namespaces/acme', ''],
    [`${path}/none`, 'jane'],
  ])('of %s as "%s" carries Audit-Id and Cache-Control', async (url, as) => {
    const answer = await api.ask(url, { as });
    expect(answer.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['cache-control']).toBe('no-cache, private');
    if (answer.status >= 400)
      expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: answer.status, metadata: {} });
  });

  it('long lists are compressed for who accepts it, watches never', async () => {
    const data = { big: 'x'.repeat(200_000) };
    await api.ask(path, { method: 'POST', as: 'jane', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big' }, data } });
    const list = await api.ask(path, { as: 'jane', headers: { 'accept-encoding': 'gzip' } });
    expect(list.headers['content-encoding']).toBe('gzip');
    expect((await api.ask(path, { as: 'jane' })).headers['content-encoding']).toBeUndefined();
    const watch = await api.watch(`${path}?watch=1`, { as: 'jane', headers: { 'accept-encoding': 'gzip' } });
    expect(await watch.next()).toMatchObject({ type: 'ADDED' });
    watch.close();
  });
});

describe('paths and methods', () => {
  it.each([
    ['GET', '/nowhere', 404, 'the server could not find the requested resource'],
    ['GET', '/apis/none.example/v1', 404, 'the server could not find the requested resource'],
    ['POST', '/version', 405, 'the server does not allow this method on the requested resource'],
    ['DELETE', '/api/v1/namespaces', 405, 'the server does not allow this method on the requested resource'],
    ['POST', '/apis/weir.dev/v1/namespaces/acme/deliveries', 405, 'the server does not allow this method on the requested resource'],
    ['PATCH', '/apis/weir.dev/v1/namespaces/acme/accesstokens/x', 405, 'the server does not allow this method on the requested resource'],
    ['PUT', path, 405, 'the server does not allow this method on the requested resource'],
  ])('%s %s is %i', async (method, url, status, message) => {
    expect(await api.ask(url, { method, as: 'jane' })).toMatchObject({ status, body: { kind: 'Status', message } });
    expect((await api.ask(url, { method, as: '' })).status, 'identity comes first').toBe(401);
  });

  it('a broken URL is 400, not a bug of ours', async () => {
    const answer = await api.ask('/api/v1/namespaces/%ZZ', { as: 'jane' });
    expect(answer, answer.text).toMatchObject({ status: 400, body: { kind: 'Status', reason: 'BadRequest' } });
  });
});

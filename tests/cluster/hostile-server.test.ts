import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { tenantToken } from '#adapters/kube/credential.ts';
import { getObject } from '#adapters/kube/objects.ts';
import { apiPath, type ResourceType } from '#adapters/kube/paths.ts';
import type { ApiRequest, Pool } from '#adapters/kube/pool.ts';
import { createSession } from '#adapters/kube/session.ts';
import { type Hostile, json, poolFor, startHostile } from '#tests/cluster/hostile.ts';

const open: { hostile: Hostile | null; pool: Pool | null } = { hostile: null, pool: null };
afterEach(async () => {
  await open.pool?.close();
  await open.hostile?.close();
});

async function against(answer: (response: ServerResponse, count: number) => void): Promise<Pool> {
  let count = 0;
  open.hostile = await startHostile((_request, response) => {
    count += 1;
    answer(response, count);
  });
  open.pool = poolFor(open.hostile);
  return open.pool;
}

const token = tenantToken('tester', 'not.a-real.token-of-anybody', Number.MAX_SAFE_INTEGER);
const type: ResourceType = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: [] };
function request(method: ApiRequest['method'], more: Partial<ApiRequest> = {}): ApiRequest {
  return {
    method,
    path: apiPath('api', 'v1', 'x'),
    credential: token,
    timeoutMs: 1_000,
    maxBytes: 100_000,
    signal: new AbortController().signal,
    ...more,
  };
}
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};

test('an answer that drips for ever ends at the time limit', async () => {
  const pool = await against((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  });
  const startedMs = performance.now();
  expect(await codeOf(pool.request(request('GET')))).toBe('clusterUnreachable');
  expect(await codeOf(pool.request(request('PATCH')))).toBe('unknownResult');
  expect(performance.now() - startedMs).toBeLessThan(4_000);
});

test('a server that accepts and says nothing ends at the time limit', async () => {
  const pool = await against(() => undefined);
  expect(await codeOf(pool.request(request('GET')))).toBe('clusterUnreachable');
  expect(await codeOf(pool.request(request('DELETE')))).toBe('unknownResult');
});

test('bytes are counted after unpacking', async () => {
  const packed = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32));
  const pool = await against((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(packed);
  });
  const before = process.memoryUsage().rss;
  expect(await codeOf(pool.request(request('GET')))).toBe('clusterAnswer');
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('an endless body ends at the limit of bytes', async () => {
  const pool = await against((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write('x'.repeat(64 * 1024)), 1);
    response.on('close', () => clearInterval(timer));
  });
  expect(await codeOf(pool.request(request('GET', { timeoutMs: 10_000 })))).toBe('clusterAnswer');
});

test('an encoding that was not asked for is refused', async () => {
  const pool = await against((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' });
    response.end('xxxx');
  });
  expect(await codeOf(pool.request(request('GET')))).toBe('clusterUnreachable');
});

test('a redirect is not followed and never carries the token on', async () => {
  const other = await startHostile((_request, response) => json(response, 200, { kind: 'ConfigMap' }));
  try {
    const pool = await against((response) => {
      response.writeHead(307, { location: `${other.server}/api/v1/x` });
      response.end();
    });
    expect((await pool.request(request('GET'))).status).toBe(307);
    expect(other.requests.length).toBe(0);
  } finally {
    await other.close();
  }
});

test.each([
  [
    'cut in the middle of the body',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"kind":"ConfigMap"');
      setTimeout(() => response.destroy(), 20);
    },
  ],
  [
    'whole, but of truncated JSON',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"kind":"ConfigMap","metadata":{');
    },
  ],
  ['cut before the first byte', (response: ServerResponse) => void response.destroy()],
])('an answer %s is no success and no absence', async (_name, answer) => {
  const pool = await against(answer);
  expect(await codeOf(pool.request(request('GET')))).toBe('clusterUnreachable');
  expect(await codeOf(pool.request(request('PATCH')))).toBe('unknownResult');
});

test('only a Status of the API server means absence: a 404 page of something else does not', async () => {
  const session = (pool: Pool) =>
    createSession(pool, 'hostile', { account: 'tester', nextStep: 'do nothing', get: async () => token, refused: () => false });
  const look = (pool: Pool) =>
    getObject(session(pool), { type, namespace: 'a', name: 'b' }, 'application/json', new AbortController().signal);
  const html = await against((response) => {
    response.writeHead(404, { 'content-type': 'text/html' });
    response.end('<h1>not here</h1>');
  });
  expect(await codeOf(look(html))).toBe('clusterUnreachable');
  await open.pool?.close();
  await open.hostile?.close();
  const other = await against((response) => json(response, 404, { kind: 'Other', reason: 'NotFound' }));
  expect(await codeOf(look(other))).toBe('clusterAnswer');
  await open.pool?.close();
  await open.hostile?.close();
  const real = await against((response) => json(response, 404, { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 }));
  expect(await look(real)).toBe(null);
});

test('429 is waited out as Retry-After says, for all at once, and the limit is halved', async () => {
  const times: number[] = [];
  const pool = await against((response, count) => {
    times.push(performance.now());
    if (count <= 2) json(response, 429, { kind: 'Status' }, { 'retry-after': '1' });
    else json(response, 200, { kind: 'ConfigMap' });
  });
  const before = pool.limit();
  const answers = await Promise.all(Array.from({ length: 10 }, () => pool.request(request('PATCH', { timeoutMs: 10_000 }))));
  expect(answers.every((one) => one.status === 200)).toBe(true);
  expect(pool.limit()).toBeLessThan(before);
  // Those that were under way come at once; the next comes a second later.
  const gap = Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  expect(gap).toBeGreaterThan(900);
  expect(times.length).toBeLessThanOrEqual(12);
});

test('the breaker opens after some failures, answers at once, and lets one probe through', async () => {
  const behave = { well: false };
  const pool = await against((response) => {
    if (behave.well) json(response, 200, { kind: 'ConfigMap' });
    else response.destroy();
  });
  for (let tries = 0; tries < 4; tries += 1) expect(await codeOf(pool.request(request('GET')))).toBe('clusterUnreachable');
  expect(pool.isOpen()).toBe(true);
  const sent = pool.sent();
  const startedMs = performance.now();
  for (let tries = 0; tries < 100; tries += 1) expect(await codeOf(pool.request(request('GET')))).toBe('clusterUnreachable');
  expect(performance.now() - startedMs).toBeLessThan(500);
  expect(pool.sent()).toBe(sent);
  behave.well = true;
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const answers = await Promise.allSettled([1, 2, 3].map(() => pool.request(request('GET'))));
  expect(answers.filter((one) => one.status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
  expect((await pool.request(request('GET'))).status).toBe(200);
  expect(pool.isOpen()).toBe(false);
});

test('an aborted read throws the asker’s reason; an aborted write is unknown', async () => {
  const pool = await against(() => undefined);
  const reading = new AbortController();
  const read = pool.request(request('GET', { signal: reading.signal, timeoutMs: 10_000 }));
  setTimeout(() => reading.abort(new Error('enough')), 50);
  await expect(read).rejects.toThrow('enough');
  const writing = new AbortController();
  const write = pool.request(request('PATCH', { signal: writing.signal, timeoutMs: 10_000 }));
  setTimeout(() => writing.abort(new Error('enough')), 50);
  expect(await codeOf(write)).toBe('unknownResult');
  expect(pool.isOpen()).toBe(false);
});

test('the egress policy is asked about names and about written-out addresses, before a byte is sent', async () => {
  const hostile = await startHostile((_request, response) => json(response, 200, {}));
  open.hostile = hostile;
  const asked: string[] = [];
  open.pool = poolFor(hostile, {
    connectLookup: (host, _options, callback) => {
      asked.push(host);
      callback(new Error('private address'), '', 4);
    },
  });
  expect(await codeOf(open.pool.request(request('GET')))).toBe('clusterUnreachable');
  expect(asked).toEqual(['127.0.0.1']);
  expect(hostile.requests.length).toBe(0);
});

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EgressHttp, HttpRequest } from '#core/http.ts';
import { systemClock } from '#core/time.ts';
import { createEgress, type ResolveAll } from './egress.ts';
import { createEgressHttp } from './http.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Peer = { server: Server; port: number; seen: IncomingMessage[]; handle: Handler };

const CANARY = 'canary-9f2c';
const local: ResolveAll = async (host) => [{ address: host === 'inside.example' ? '10.0.0.1' : '127.0.0.1', family: 4 }];
const peers: Peer[] = [];
let folder: string;
let http: EgressHttp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-http-'));
  http = createEgressHttp({
    egress: createEgress({ allowCidrs: ['127.0.0.0/8'], resolveAll: local }),
    userAgent: 'weir/test',
    clock: systemClock,
  });
  for (let count = 0; count < 2; count += 1) peers.push(await startPeer());
});
afterAll(async () => {
  await http.close();
  for (const { server } of peers) await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  for (const one of peers) one.seen.length = 0;
});

async function startPeer(): Promise<Peer> {
  const peer: Peer = { server: createServer(), port: 0, seen: [], handle: (_request, response) => void response.end() };
  peer.server.on('request', (request, response) => {
    peer.seen.push(request);
    peer.handle(request, response);
  });
  await new Promise<void>((done) => peer.server.listen(0, '127.0.0.1', done));
  const address = peer.server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  peer.port = address.port;
  return peer;
}

function peer(index: 0 | 1): Peer {
  const found = peers[index];
  if (found === undefined) throw new Error('no peer');
  return found;
}

const url = (index: 0 | 1, path = '/'): string => `http://one.example:${peer(index).port}${path}`;

function ask(overrides: Partial<HttpRequest> & Readonly<{ url: string }>) {
  return http.request({
    method: 'GET',
    credential: { is: 'bearer', token: CANARY },
    caPem: null,
    clientCertificate: null,
    allowHttp: true,
    maxBytes: 10_000,
    timeoutMs: 5_000,
    redirects: 5,
    to: 'buffer',
    signal: new AbortController().signal,
    ...overrides,
  });
}

function redirectTo(location: string): Handler {
  return (_request, response) => void response.writeHead(302, { location }).end();
}

test('G1: each hop of a redirect is checked, and a private address is never connected to', async () => {
  peer(0).handle = redirectTo('http://inside.example/latest/meta-data');
  await expect(ask({ url: url(0) })).rejects.toMatchObject({ code: 'egressDenied' });
  await expect(ask({ url: 'http://10.0.0.1/' })).rejects.toMatchObject({ code: 'egressDenied' });
  await expect(ask({ url: 'http://0x0a000001/' })).rejects.toMatchObject({ code: 'egressDenied' });
  await expect(ask({ url: 'http://[::ffff:10.0.0.1]/' })).rejects.toMatchObject({ code: 'egressDenied' });
});

test('G1: five redirects are followed and the sixth is refused', async () => {
  peer(0).handle = (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('there');
    else response.writeHead(307, { location: `/${left - 1}` }).end();
  };
  expect(await ask({ url: url(0, '/5') })).toMatchObject({ status: 200, finalUrl: url(0, '/0') });
  await expect(ask({ url: url(0, '/6'), redirects: 9 })).rejects.toMatchObject({ code: 'egressDenied' });
  expect(await ask({ url: url(0, '/1'), redirects: 0 })).toMatchObject({ status: 307 });
  expect(await ask({ url: url(0, '/1'), method: 'POST', body: 'x' })).toMatchObject({ status: 307 });
});

test.each(['ftp://one.example/', 'file:///etc/passwd', 'data:,x', 'one.example', ''])('G1: "%s" is no address', async (text) => {
  await expect(ask({ url: text })).rejects.toMatchObject({ code: 'egressDenied' });
  peer(0).handle = redirectTo(text);
  if (text.includes(':')) await expect(ask({ url: url(0) })).rejects.toMatchObject({ code: 'egressDenied' });
});

test('plain http is refused unless allowed', async () => {
  await expect(ask({ url: url(0), allowHttp: false })).rejects.toMatchObject({ code: 'egressDenied' });
  expect(peer(0).seen).toEqual([]);
});

test('G2: the socket connects to what was checked, by one look-up', async () => {
  let asked = 0;
  const changing: ResolveAll = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
  const own = createEgressHttp({
    egress: createEgress({ allowCidrs: ['127.0.0.0/8'], resolveAll: changing }),
    userAgent: 'weir/test',
    clock: systemClock,
  });
  peer(0).handle = (_request, response) => void response.setHeader('connection', 'close').end('first');
  const request = { url: url(0), method: 'GET', credential: { is: 'none' }, caPem: null, clientCertificate: null } as const;
  const limits = {
    allowHttp: true,
    maxBytes: 100,
    timeoutMs: 5_000,
    redirects: 0,
    to: 'buffer',
    signal: new AbortController().signal,
  } as const;
  expect((await own.request({ ...request, ...limits })).body.toString()).toBe('first');
  expect(asked).toBe(1);
  await expect(own.request({ ...request, ...limits })).rejects.toMatchObject({ code: 'egressDenied' });
  await own.close();
});

test('B10, C8: a credential is bound to scheme, host and port, and dropped for good on any change', async () => {
  peer(0).handle = (request, response) => {
    if (request.url === '/back') response.end();
    else response.writeHead(302, { location: url(1) }).end();
  };
  peer(1).handle = redirectTo(url(0, '/back'));
  const credentials = [{ is: 'bearer', token: CANARY } as const, { is: 'basic', username: 'u', password: CANARY } as const];
  for (const credential of credentials) {
    await ask({ url: url(0), credential, private: { 'x-token': CANARY }, headers: { accept: 'text/plain' } });
  }
  expect(peer(0).seen.map(({ url: path, headers }) => [path, headers.authorization !== undefined, headers['x-token']])).toEqual([
    ['/', true, CANARY],
    ['/back', false, undefined],
    ['/', true, CANARY],
    ['/back', false, undefined],
  ]);
  expect(JSON.stringify(peer(1).seen.map(({ rawHeaders, url: path }) => [rawHeaders, path]))).not.toContain(CANARY);
  expect(peer(1).seen[0]?.headers).toMatchObject({ accept: 'text/plain', 'user-agent': 'weir/test' });
});

test('a redirect on the same origin keeps the credential', async () => {
  peer(0).handle = (request, response) => {
    if (request.url === '/next') response.end();
    else response.writeHead(301, { location: '/next' }).end();
  };
  await ask({ url: url(0) });
  expect(peer(0).seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${CANARY}`, `Bearer ${CANARY}`]);
});

test('D8: the limit counts decoded bytes, at and over it, of one layer', async () => {
  const send =
    (bytes: Buffer): Handler =>
    (_request, response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes);
  peer(0).handle = send(gzipSync(Buffer.alloc(10_000)));
  expect(await ask({ url: url(0) })).toMatchObject({ sizeBytes: 10_000 });
  peer(0).handle = send(gzipSync(Buffer.alloc(10_001)));
  await expect(ask({ url: url(0) })).rejects.toMatchObject({ code: 'upstreamTooLarge', message: expect.stringContaining('10000') });
  peer(0).handle = send(gzipSync(gzipSync(Buffer.alloc(5_000_000))));
  expect((await ask({ url: url(0) })).sizeBytes).toBeLessThan(10_000);
  peer(0).handle = send(gzipSync(Buffer.alloc(100)).subarray(0, 20));
  await expect(ask({ url: url(0) })).rejects.toMatchObject({ code: 'upstreamFailed' });
  peer(0).handle = (_request, response) => void response.writeHead(200, { 'content-encoding': 'br' }).end('x');
  await expect(ask({ url: url(0) })).rejects.toMatchObject({ code: 'upstreamFailed' });
});

test('a body goes into a new file with its digest, and of a failed one nothing stays', async () => {
  const file = join(folder, 'body');
  peer(0).handle = (_request, response) => void response.end('abc');
  expect(await ask({ url: url(0), to: { file } })).toMatchObject({
    path: file,
    sizeBytes: 3,
    digest: 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
  await expect(ask({ url: url(0), to: { file } })).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readFile(file, 'utf8')).toBe('abc');
  await expect(ask({ url: url(0), to: { file: join(folder, 'large') }, maxBytes: 2 })).rejects.toMatchObject({ code: 'upstreamTooLarge' });
  peer(0).handle = (_request, response) => void response.writeHead(404).end('missing');
  expect(await ask({ url: url(0), to: { file: join(folder, 'none') } })).toMatchObject({ status: 404, path: null, sizeBytes: 7 });
  expect(await readdir(folder)).toEqual(['body']);
});

test('a server that drips bytes ends with the time limit, and an aborted request with its reason', async () => {
  peer(0).handle = (_request, response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  };
  await expect(ask({ url: url(0, '/secret?token=x'), timeoutMs: 200 })).rejects.toMatchObject({
    code: 'upstreamFailed',
    message: `the host one.example:${peer(0).port} did not answer whole within 200 ms`,
  });
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('stop')), 50);
  await expect(ask({ url: url(0), signal: abort.signal })).rejects.toThrow('stop');
});

test('Retry-After is seconds or a date, conditional requests pass, an unreachable host is named', async () => {
  peer(0).handle = (request, response) =>
    void response
      .writeHead(request.headers['if-none-match'] === '"a"' ? 304 : 429, {
        'retry-after': request.url === '/date' ? new Date(systemClock.nowMs() + 60_000).toUTCString() : '7',
      })
      .end();
  expect(await ask({ url: url(0) })).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  const { retryAfterMs } = await ask({ url: url(0, '/date') });
  expect(retryAfterMs).toBeGreaterThan(50_000);
  expect(await ask({ url: url(0), headers: { 'if-none-match': '"a"' } })).toMatchObject({ status: 304 });
  await expect(ask({ url: 'http://one.example:1/' })).rejects.toMatchObject({
    code: 'upstreamFailed',
    message: 'the host one.example:1 does not answer: it refuses the connection',
  });
});

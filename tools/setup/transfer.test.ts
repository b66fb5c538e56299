import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { transfer } from './transfer.ts';

const content = randomBytes(300_000);
const servers: Server[] = [];
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-transfer-'));
});
afterEach(async () => {
  for (const one of servers.splice(0)) {
    one.closeAllConnections();
    await new Promise((done) => one.close(done));
  }
  await rm(folder, { recursive: true });
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<URL> {
  const counter = { requests: 0 };
  const server = createServer((request, response) => {
    counter.requests += 1;
    answer(request, response, counter.requests);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new URL(`http://127.0.0.1:${address.port}/file`);
}

/** Sends a part and cuts the connection. */
function cut(response: ServerResponse, part: Buffer): void {
  response.write(part, () => setTimeout(() => response.destroy(), 20));
}

const get = (url: URL, more: Partial<Parameters<typeof transfer>[0]> = {}) =>
  transfer({ url, file: join(folder, 'file'), maxBytes: 1_000_000, idleMs: 2_000, signal: AbortSignal.timeout(20_000), ...more });

test('a transfer that breaks off is gone on with from where it was', async () => {
  const ranges: (string | undefined)[] = [];
  const url = await serve((request, response, count) => {
    ranges.push(request.headers.range);
    const from = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
    response.writeHead(from > 0 ? 206 : 200, { etag: '"one"', 'content-length': content.length - from });
    if (count < 3) cut(response, content.subarray(from, from + 100_000));
    else response.end(content.subarray(from));
  });
  await get(url);
  expect(await readFile(join(folder, 'file'))).toEqual(content);
  expect(ranges.length).toBe(3);
  expect([ranges[0], ranges[1]?.startsWith('bytes='), ranges[2]?.startsWith('bytes=')]).toEqual([undefined, true, true]);
});

test('another file under the same name, or a server without parts, is begun anew and never mixed', async () => {
  const other = randomBytes(200_000);
  const conditions: (string | undefined)[] = [];
  const changed = await serve((request, response, count) => {
    conditions.push(request.headers['if-range']?.toString());
    // If-Range does not match: the whole new file, as RFC 9110 says.
    const whole = count === 1 ? content : other;
    response.writeHead(200, { etag: count === 1 ? '"one"' : '"two"', 'content-length': whole.length });
    if (count === 1) cut(response, whole.subarray(0, 100_000));
    else response.end(whole);
  });
  await get(changed);
  expect(conditions[0]).toBeUndefined();
  // Undefined where the first answer broke off before its headers were read.
  expect(new Set(conditions.slice(1)).isSubsetOf(new Set([undefined, '"one"']))).toBe(true);
  expect(await readFile(join(folder, 'file'))).toEqual(other);
  const weak = await serve((request, response, count) => {
    expect(request.headers.range).toBeUndefined();
    response.writeHead(200, { etag: 'W/"one"', 'content-length': content.length });
    if (count === 1) cut(response, content.subarray(0, 100_000));
    else response.end(content);
  });
  await get(weak);
  expect(await readFile(join(folder, 'file'))).toEqual(content);
});

test.each([
  ['one that always breaks off', { cuts: true, idleMs: 2_000 }, /terminated|other side closed|aborted/i],
  ['one that stalls', { cuts: false, idleMs: 150 }, /no byte for 150 ms/],
])('%s ends with its reason after four tries', async (_case, { cuts, idleMs }, reason) => {
  const seen = { count: 0 };
  const url = await serve((_request, response, count) => {
    seen.count = count;
    response.writeHead(200, { 'content-length': content.length });
    if (cuts) cut(response, content.subarray(0, 1_000));
    else response.write(content.subarray(0, 1_000));
  });
  await expect(get(url, { idleMs })).rejects.toThrow(reason);
  expect(seen.count).toBe(4);
});

test('an abort ends it at once, an answer that is none is not asked for again', async () => {
  const seen = { count: 0 };
  const slow = await serve((_request, response, count) => {
    seen.count = count;
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1_000));
  });
  const startedMs = performance.now();
  await expect(get(slow, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  expect(seen.count).toBe(1);
  const gone = await serve((_request, response, count) => {
    seen.count = count;
    response.writeHead(404).end();
  });
  await expect(get(gone)).rejects.toThrow('answer 404');
  expect(seen.count).toBe(1);
});

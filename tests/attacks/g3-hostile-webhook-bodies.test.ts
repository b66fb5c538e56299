import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { servedTypes } from '#kinds/receiver/support.ts';
import { useApi } from '#tests/contract/api.ts';
import { genuineHeaders, type HookType, openHook, provenByPath } from '#tests/contract/receivers.ts';
import { payloads } from '#tests/contract/webhook-payloads.ts';

const api = useApi();
const types: readonly HookType[] = servedTypes;
const paths = new Map<HookType, string>();
const mutationsPerType = 200;
const maxGrowthBytes = 96 * 1_048_576;

beforeAll(async () => {
  for (const type of types) paths.set(type, (await openHook(api, type, `by-${type}`)).path);
});

const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    '{',
    '[',
    'null',
    '[]',
    '""',
    '{}',
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{}}}',
    '\u0000',
    '{"ref":1}',
    '{"commits":null}',
    '{"repository":{}}',
    'payload=',
    'payload=%7B',
    '\ufeff{}',
  ),
  fc.json({ maxDepth: 6 }),
  fc.string({ maxLength: 2_000, unit: 'binary' }),
  fc.constantFrom(...Object.values(payloads)).chain((whole) => fc.nat({ max: whole.length - 1 }).map((end) => whole.slice(0, end))),
);
/** A few per type are enough: each takes as long as a hundred of the others. */
const hugeText = fc.oneof(
  fc.constantFrom(10_000, 200_000).map((depth) => '['.repeat(depth)),
  fc.constantFrom(10_000, 100_000).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.constantFrom(1_000_000).map((size) => `{"a":"${'x'.repeat(size)}"}`),
);
const headerValue = fc.oneof(
  fc.constantFrom(
    '',
    'push',
    'sha256=',
    'sha256=zz',
    'md5=00',
    '=',
    'application/json',
    'application/x-www-form-urlencoded',
    'text/xml',
    '*/*',
  ),
  fc.string({ maxLength: 300 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '?')),
);
const headerNames = [
  'content-type',
  'x-hub-signature',
  'x-hub-signature-256',
  'x-github-event',
  'x-github-delivery',
  'x-gitlab-token',
  'x-gitlab-event',
  'x-gitlab-event-uuid',
  'x-signature',
  'x-event-key',
  'x-request-uuid',
  'authorization',
  'x-nexus-webhook-signature',
  'x-nexus-webhook-delivery',
  'ce-type',
];

describe('G3: nothing that is sent to a webhook harms the server', () => {
  it.each(types)('%s: 200 mutations, genuine and forged', async (type) => {
    const before = process.memoryUsage().heapUsed;
    const seen = new Set<number>();
    const mutation = fc.record({
      text: fc.oneof({ arbitrary: hostileText, weight: 19 }, { arbitrary: hugeText, weight: 1 }),
      headers: fc.dictionary(fc.constantFrom(...headerNames), headerValue, { maxKeys: 4 }),
      genuine: fc.boolean(),
    });
    for (const { text, headers, genuine } of fc.sample(mutation, { numRuns: mutationsPerType, seed: 40_634 })) {
      const own = genuine ? genuineHeaders(type, text) : {};
      const reply = await api.ask(null, paths.get(type) ?? '', { method: 'POST', body: text, headers: { ...headers, ...own } });
      seen.add(reply.status);
      expect([200, 400], `${reply.status} ${reply.text.slice(0, 200)}`).toContain(reply.status);
      if (!genuine && !provenByPath.includes(type)) expect(reply.status).toBe(400);
    }
    // What hardly any chance hits is the shape that some senders' bodies must have.
    expect(seen.has(200)).toBe(!['dockerhub', 'quay', 'acr', 'cdevents'].includes(type));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(maxGrowthBytes);
  });

  it('a body over 3 MiB is cut off: 413, with and without a declared length', async () => {
    const big = Buffer.alloc(3_145_729, 0x20);
    expect((await api.ask(null, paths.get('github') ?? '', { method: 'POST', body: big })).status).toBe(413);
  });

  it.each(types)('benign twin: %s, a genuine call with an ordinary payload, after all that', async (type) => {
    const body = payloads[type];
    const headers = { 'content-type': 'application/json', ...genuineHeaders(type, body) };
    expect((await api.ask(null, paths.get(type) ?? '', { method: 'POST', body, headers })).status).toBe(200);
  });

  it('nothing of it was a bug of ours', () => expect(api.logged()).not.toContain('a request failed by a bug of ours'));
});

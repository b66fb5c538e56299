import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api.ts';
import { genuineHeaders, type HookType, hookToken, openHook, triggers } from '#tests/contract/receivers.ts';

const api = useApi();
const body = '{"ref":"refs/heads/main"}';
const replays = 1_000;
const together = 20;
const types = ['github', 'gitlab'] as const;
const paths = new Map<HookType, string>();

beforeAll(async () => {
  for (const type of types) paths.set(type, (await openHook(api, type, `by-${type}`)).path);
  paths.set('generic-hmac', (await openHook(api, 'generic-hmac', 'by-hmac')).path);
});

const countOf = async (name: string): Promise<number> => (await triggers(api))[`acme/${name}`] ?? 0;
const post = (type: HookType, headers: Readonly<Record<string, string>>) =>
  api.ask(null, paths.get(type) ?? '', { method: 'POST', body, headers });

describe('G6: a genuine call that is sent again', () => {
  it.each(types)('%s: 1,000 replays cause at most one more trigger, and each is answered 200', async (type) => {
    const headers = genuineHeaders(type, body);
    const before = await countOf(`by-${type}`);
    expect((await post(type, headers)).status).toBe(200);
    expect(await countOf(`by-${type}`)).toBe(before + 1);
    for (let sent = 0; sent < replays; sent += together) {
      const replies = await Promise.all(Array.from({ length: together }, () => post(type, headers)));
      expect(replies.every((reply) => reply.status === 200)).toBe(true);
    }
    expect(await countOf(`by-${type}`)).toBeLessThanOrEqual(before + 2);
  });

  it.each(types)('%s: the first of many at once counts once', async (type) => {
    const before = await countOf(`by-${type}`);
    const headers = genuineHeaders(type, body);
    await Promise.all(Array.from({ length: together }, () => post(type, headers)));
    expect(await countOf(`by-${type}`)).toBe(before + 1);
  });

  it('the ids are kept for a day', async () => {
    const rows = await api.plane.ask('select delivery_id as id from weir.hook_deliveries');
    expect(rows.length).toBe(4);
    expect(rows.every((row) => /^[0-9a-f]{64}$/.test(String(row['id'])))).toBe(true);
  });

  it.each(types)('benign twin: %s, three deliveries of the same push are three triggers', async (type) => {
    const before = await countOf(`by-${type}`);
    for (let sent = 0; sent < 3; sent += 1) await post(type, genuineHeaders(type, body));
    expect(await countOf(`by-${type}`)).toBe(before + 3);
  });

  it('a signature one bit off, of another body, or of another hash is refused', async () => {
    const digest = createHmac('sha256', hookToken).update(body).digest();
    digest[31] = (digest[31] ?? 0) ^ 1;
    const wrong = [
      `sha256=${digest.toString('hex')}`,
      `sha1=${createHmac('sha256', hookToken).update(body).digest('hex')}`,
      `sha256=${createHmac('sha256', hookToken).update(`${body} `).digest('hex')}`,
    ];
    for (const signature of wrong) expect((await post('generic-hmac', { 'x-signature': signature })).status).toBe(400);
    expect((await post('generic-hmac', genuineHeaders('generic-hmac', body))).status).toBe(200);
  });
});

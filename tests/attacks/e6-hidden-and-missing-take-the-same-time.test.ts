import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api.ts';
import { openHook } from '#tests/contract/receivers.ts';

const api = useApi();
/** 1 % of the long run's 10,000 (threats 1.1). */
const rounds = 100;
let hook = '';

beforeAll(async () => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'known' }, data: { a: 'x'.repeat(100_000) } };
  await api.must('admin', '/api/v1/namespaces/acme/configmaps', { method: 'POST', body });
  await api.must('admin', '/api/v1/namespaces/acme/secrets', {
    method: 'POST',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'known' }, stringData: { a: 'b' } },
  });
  hook = (await openHook(api, 'generic', 'hooked')).path;
});

async function millisecondsOf(path: string): Promise<Readonly<{ ms: number; text: string; status: number }>> {
  const startMs = performance.now();
  const reply = await api.ask('stranger', path);
  return { ms: performance.now() - startMs, text: reply.text, status: reply.status };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

describe('E6: a stranger cannot tell what exists', () => {
  it.each([
    ['an object', '/api/v1/namespaces/acme/configmaps/known', '/api/v1/namespaces/acme/configmaps/ghost'],
    ['a Secret', '/api/v1/namespaces/acme/secrets/known', '/api/v1/namespaces/acme/secrets/ghost'],
    ['a namespace', '/api/v1/namespaces/acme', '/api/v1/namespaces/acne'],
    ['a list', '/api/v1/namespaces/acme/configmaps', '/api/v1/namespaces/acne/configmaps'],
    ['a tenant', '/apis/weir.dev/v1/tenants/acme', '/apis/weir.dev/v1/tenants/acne'],
  ])('%s: same bytes apart from the name, same time within noise', async (_what, there, nowhere) => {
    const times: { there: number[]; nowhere: number[] } = { there: [], nowhere: [] };
    const name = (path: string): string => path.split('/').find((part) => ['acme', 'acne'].includes(part)) ?? '';
    for (let round = 0; round < rounds; round += 1) {
      const first = await millisecondsOf(there);
      const second = await millisecondsOf(nowhere);
      const renamed = second.text.replaceAll('ghost', 'known').replaceAll(name(nowhere), name(there));
      expect([first.status, first.text]).toEqual([second.status, renamed]);
      times.there.push(first.ms);
      times.nowhere.push(second.ms);
    }
    const [a, b] = [median(times.there), median(times.nowhere)];
    expect(Math.abs(a - b), `medians ${a.toFixed(2)} and ${b.toFixed(2)} ms`).toBeLessThan(Math.max(2, 0.35 * Math.max(a, b)));
  });

  it('a webhook path that exists, cut or changed, answers like any other', async () => {
    const near = `${hook.slice(0, -1)}${hook.endsWith('0') ? '1' : '0'}`;
    const [first, second] = [
      await api.ask(null, near, { method: 'POST', body: '{}' }),
      await api.ask(null, `/hook/${'5'.repeat(64)}`, { method: 'POST', body: '{}' }),
    ];
    expect([first.status, first.text]).toEqual([404, second.text]);
  });

  it('benign twin: who may see it sees it', async () => {
    expect((await api.ask('viewer', '/api/v1/namespaces/acme/configmaps/known')).status).toBe(200);
  });
});

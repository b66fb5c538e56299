import { expect, test } from 'vitest';
import type { GitRef, GitRemote } from '#core/ports.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { createLooks } from './looks.ts';

const tenant = scopeOfJob({ tenantId: '11111111-1111-4111-8111-111111111111' }, 'test');
const other = scopeOfJob({ tenantId: '22222222-2222-4222-8222-222222222222' }, 'test');
const remote: GitRemote = { url: 'https://git.test/x', credential: { is: 'bearer', token: 'a' }, caPem: null };
const never = new AbortController().signal;

function recorder() {
  const asked: { answer(refs: readonly GitRef[]): void; fail(error: Error): void; signal: AbortSignal }[] = [];
  return {
    asked,
    ask: (signal: AbortSignal): Promise<readonly GitRef[]> =>
      new Promise((answer, fail) => {
        asked.push({ answer, fail, signal });
        signal.addEventListener('abort', () => fail(signal.reason as Error));
      }),
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('who asks while a look runs shares the next one, and nobody gets an answer from before they asked', async () => {
  const looks = createLooks();
  const { asked, ask } = recorder();
  const first = looks.look(tenant, remote, never, ask);
  await turn();
  const late = [1, 2, 3].map(() => looks.look(tenant, remote, never, ask));
  await turn();
  expect(asked.length).toBe(1);
  asked[0]?.answer([{ name: 'HEAD', commit: 'old' }]);
  expect(await first).toEqual([{ name: 'HEAD', commit: 'old' }]);
  await turn();
  expect(asked.length).toBe(2);
  asked[1]?.answer([{ name: 'HEAD', commit: 'new' }]);
  for (const one of await Promise.all(late)) expect(one).toEqual([{ name: 'HEAD', commit: 'new' }]);
});

test('who asks after the last one left puts a question of their own', async () => {
  const looks = createLooks();
  const { asked, ask } = recorder();
  const first = looks.look(tenant, remote, never, ask);
  await turn();
  const leaving = new AbortController();
  const gone = looks.look(tenant, remote, leaving.signal, ask);
  leaving.abort(new Error('left'));
  await expect(gone).rejects.toThrow('left');
  const next = looks.look(tenant, remote, never, ask);
  asked[0]?.answer([]);
  await first;
  await turn();
  asked[1]?.answer([]);
  expect(await next).toEqual([]);
});

test('another tenant, or another credential, asks for itself', async () => {
  const looks = createLooks();
  const { asked, ask } = recorder();
  const all = [
    looks.look(tenant, remote, never, ask),
    looks.look(other, remote, never, ask),
    looks.look(tenant, { ...remote, credential: { is: 'bearer', token: 'b' } }, never, ask),
  ];
  await turn();
  expect(asked.length).toBe(3);
  for (const one of asked) one.answer([]);
  await Promise.all(all);
});

test('who leaves gets their own reason; the look ends when nobody is left, and a failed one does not stand in the way', async () => {
  const looks = createLooks();
  const { asked, ask } = recorder();
  const leaving = new AbortController();
  const [gone, stays] = [looks.look(tenant, remote, leaving.signal, ask), looks.look(tenant, remote, never, ask)];
  await turn();
  leaving.abort(new Error('left'));
  await expect(gone).rejects.toThrow('left');
  expect(asked[0]?.signal.aborted).toBe(false);
  asked[0]?.fail(new Error('no server'));
  await expect(stays).rejects.toThrow('no server');
  const last = new AbortController();
  const again = looks.look(tenant, remote, last.signal, ask);
  await turn();
  last.abort(new Error('stopped'));
  await expect(again).rejects.toThrow('stopped');
  await turn();
  expect(asked[1]?.signal.aborted).toBe(true);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { turnsPort } from '#adapters/postgres/turns.ts';
import { usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane();
const signal = new AbortController().signal;

test('one run of a tenant at a time; other names and other tenants do not wait', async () => {
  const [one, other] = [await plane.newTenant(), await plane.newTenant()];
  const turns = turnsPort(plane.db, one.scope, 5_000);
  const state = { inside: 0, most: 0 };
  const work = async (): Promise<void> => {
    state.inside += 1;
    state.most = Math.max(state.most, state.inside);
    await sleep(50);
    state.inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => turns.take('a', signal, work)));
  expect(state).toEqual({ inside: 0, most: 1 });
  await turns.take('a', signal, () => turns.take('b', signal, () => turnsPort(plane.db, other.scope, 5_000).take('a', signal, work)));
  expect(await plane.ask('select count(*)::int as n from weir.branch_leases')).toEqual([{ n: 0 }]);
});

test('a holder that works on keeps its turn, one that died is overtaken, and who gives up waiting takes nothing', async () => {
  const { scope, tenantId } = await plane.newTenant();
  const turns = turnsPort(plane.db, scope, 300);
  const order: string[] = [];
  const first = turns.take('a', signal, async () => {
    await sleep(1_200);
    order.push('first');
  });
  await sleep(100);
  await Promise.all([first, turns.take('a', signal, async () => void order.push('second'))]);
  expect(order).toEqual(['first', 'second']);
  await plane.ask(
    `insert into weir.branch_leases (tenant_id, branch, holder, held_until) values ($1, 'a', gen_random_uuid(), clock_timestamp() + interval '1 second')`,
    [tenantId],
  );
  await expect(turns.take('a', AbortSignal.timeout(200), async () => order.push('never'))).rejects.toThrow();
  await turns.take('a', signal, async () => void order.push('third'));
  expect(order).toEqual(['first', 'second', 'third']);
  await expect(turns.take('a', signal, () => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
  await turns.take('a', signal, async () => void order.push('fourth'));
  expect(order.at(-1)).toBe('fourth');
});

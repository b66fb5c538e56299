import { expect, test } from 'vitest';
import { createBreaker, maxOpenMs } from '#adapters/kube/breaker.ts';
import { createSlots } from '#adapters/kube/slots.ts';

const never = new AbortController().signal;

test('no more than the limit run; the next is the one that waited longest', async () => {
  const slots = createSlots({ nowMs: () => 0, random: () => 0 }, 2, 4);
  const order: string[] = [];
  const first = await slots.take(never);
  await slots.take(never);
  const third = slots.take(never).then(() => order.push('third'));
  const fourth = slots.take(never).then(() => order.push('fourth'));
  await Promise.resolve();
  expect(order).toEqual([]);
  first();
  first();
  await third;
  expect(order).toEqual(['third']);
  expect(fourth).toBeInstanceOf(Promise);
});

test('who gives up waiting leaves the line', async () => {
  const slots = createSlots({ nowMs: () => 0, random: () => 0 }, 1, 1);
  const release = await slots.take(never);
  const leaving = new AbortController();
  const waiting = slots.take(leaving.signal);
  leaving.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const next = slots.take(never);
  release();
  await next;
});

test('fast answers raise the limit by one a round, up to the most; a 429 halves it; slow ones lower it a little; one always remains', () => {
  const time = { nowMs: 1_000 };
  const slots = createSlots({ nowMs: () => time.nowMs, random: () => 0 }, 8, 16);
  for (let each = 0; each < 200; each += 1) slots.answered(5);
  expect(slots.limit()).toBe(16);
  slots.refused(0);
  expect(slots.limit()).toBe(8);
  slots.refused(0);
  expect(slots.limit()).toBe(8);
  time.nowMs += 1_000;
  slots.answered(3_000);
  expect(slots.limit()).toBe(7);
  for (let each = 0; each < 20; each += 1) {
    time.nowMs += 1_000;
    slots.refused(0);
  }
  expect(slots.limit()).toBe(1);
});

test('the breaker opens after four failures in a row, for ever longer up to 30 s, and lets one probe at a time through', () => {
  const time = { nowMs: 0 };
  const breaker = createBreaker({ nowMs: () => time.nowMs, random: () => 1 });
  for (let each = 0; each < 3; each += 1) breaker.failed();
  expect(breaker.waitMs()).toBe(0);
  breaker.failed();
  expect(breaker.waitMs()).toBe(1_000);
  time.nowMs += 1_000;
  expect(breaker.waitMs()).toBe(0);
  expect(breaker.waitMs()).toBeGreaterThan(0);
  for (let each = 0; each < 10; each += 1) {
    breaker.failed();
    time.nowMs += breaker.waitMs();
    expect(breaker.waitMs()).toBe(0);
  }
  breaker.failed();
  expect(breaker.waitMs()).toBe(maxOpenMs);
  time.nowMs += maxOpenMs;
  expect(breaker.waitMs()).toBe(0);
  breaker.withdrawn();
  expect(breaker.waitMs()).toBe(0);
  breaker.answered();
  expect(breaker.isOpen()).toBe(false);
});

test('a cluster that somebody saw answer is asked at once; one failure more opens the breaker again', () => {
  const breaker = createBreaker({ nowMs: () => 0, random: () => 1 });
  for (let each = 0; each < 6; each += 1) breaker.failed();
  expect(breaker.waitMs()).toBeGreaterThan(0);
  breaker.returned();
  expect([breaker.waitMs(), breaker.waitMs(), breaker.isOpen()]).toEqual([0, 0, false]);
  breaker.failed();
  expect(breaker.waitMs()).toBe(1_000);
});

import { expect, test } from 'vitest';
import { createBudget, type Held } from '#adapters/kube/watch/budget.ts';

const minute = 60_000;

function budget(limits: Readonly<{ perProcess?: number; perCluster?: number }> = {}) {
  const time = { nowMs: 0 };
  const closed: string[] = [];
  const made = createBudget(
    { nowMs: () => time.nowMs, random: () => 0 },
    { perProcess: 10, perCluster: 5, metaIdleMs: 60 * minute, fullIdleMs: 2 * minute, ...limits },
  );
  const add = (id: string, clusterKey: string, deliveryId: string, more: Readonly<{ full?: boolean; inProgress?: boolean }> = {}): Held => {
    const held: Held = {
      id,
      clusterKey,
      full: more.full ?? false,
      uses: new Map([[deliveryId, { neededAtMs: time.nowMs, inProgress: more.inProgress ?? false }]]),
      close: () => void closed.push(id),
    };
    made.add(held);
    return held;
  };
  return { made, time, closed, add };
}

test('a full budget has room only when something was idle for ten minutes: that one, the longest idle, is closed', () => {
  const { made, time, closed, add } = budget({ perCluster: 2 });
  add('a', 'c1', 'd1');
  time.nowMs += minute;
  add('b', 'c1', 'd2');
  expect(made.hasRoom('c1')).toBe(false);
  expect(made.hasRoom('c2')).toBe(true);
  time.nowMs += 10 * minute;
  expect(made.hasRoom('c1')).toBe(true);
  expect(closed).toEqual(['a']);
});

test('the budget of the process counts all clusters', () => {
  const { made, add } = budget({ perProcess: 2 });
  add('a', 'c1', 'd1');
  add('b', 'c2', 'd1');
  expect(made.hasRoom('c3')).toBe(false);
});

test('the sweep closes what nobody needs: released, long unasked, or whole objects with nothing in progress', () => {
  const { made, time, closed, add } = budget();
  add('released', 'c', 'd1');
  add('asked', 'c', 'd2');
  add('full-done', 'c', 'd3', { full: true });
  add('full-in-progress', 'c', 'd4', { full: true, inProgress: true });
  made.release('d1');
  time.nowMs += 3 * minute;
  made.sweep();
  expect(closed).toEqual(['released', 'full-done']);
  time.nowMs += 60 * minute;
  made.sweep();
  expect(closed).toEqual(['released', 'full-done', 'asked']);
  time.nowMs += 4 * 60 * minute;
  made.sweep();
  expect(made.count()).toBe(0);
});

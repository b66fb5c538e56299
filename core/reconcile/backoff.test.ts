import { expect, it } from 'vitest';
import { retryInMs } from './backoff.ts';

const HOUR_MS = 3_600_000;
const waits = (reason: string, intervalMs: number | null) =>
  [1, 2, 3, 4, 8, 50].map((failures) => retryInMs({ reason }, failures, intervalMs));

it('doubles from 5 s to 15 min, never above the interval', () => {
  expect(waits('BuildFailed', HOUR_MS)).toEqual([5_000, 10_000, 20_000, 40_000, 640_000, 900_000]);
  expect(waits('BuildFailed', 30_000)).toEqual([5_000, 10_000, 20_000, 30_000, 30_000, 30_000]);
  expect(waits('BuildFailed', null).at(-1)).toBe(900_000);
});

it('a cluster that was away for hours is tried again every 30 s', () => {
  expect(waits('ClusterUnreachable', HOUR_MS)).toEqual([5_000, 10_000, 20_000, 30_000, 30_000, 30_000]);
});

it('what the failure itself asks for wins', () => {
  expect(retryInMs({ reason: 'ClusterUnreachable', retryAfterMs: 1_234 }, 9, HOUR_MS)).toBe(1_234);
});

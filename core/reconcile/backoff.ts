const FIRST_MS = 5_000;
const MAX_MS = 15 * 60_000;

/**
 * Wait before the next try after `failures` failures in a row (1 or more): doubles from 5 s, at most 15 min and at most the kind's interval.
 * Pure; the store adds jitter from the database clock.
 */
export function backoffMs(failures: number, intervalMs: number | null): number {
  const grown = FIRST_MS * 2 ** Math.min(failures - 1, 12);
  return Math.min(grown, MAX_MS, Math.max(intervalMs ?? MAX_MS, FIRST_MS));
}

const FIRST_MS = 5_000;
const MAX_MS = 15 * 60_000;
/** However long a cluster was away, what runs there is back within a minute of its return (reliability.md 5.3). Its breaker keeps such tries cheap. */
const UNREACHABLE_MAX_MS = 30_000;

/**
 * Wait before the next try after `failures` failures in a row (1 or more): doubles from 5 s, at most 15 min and at most the kind's interval.
 * Pure; the store adds jitter from the database clock.
 */
function backoffMs(failures: number, intervalMs: number | null): number {
  const grown = FIRST_MS * 2 ** Math.min(failures - 1, 12);
  return Math.min(grown, MAX_MS, Math.max(intervalMs ?? MAX_MS, FIRST_MS));
}

/** Wait after a failed run: what the failure asked for, else the growing one. Pure. */
export function retryInMs(
  failed: Readonly<{ reason: string; retryAfterMs?: number }>,
  failures: number,
  intervalMs: number | null,
): number {
  if (failed.retryAfterMs !== undefined) return failed.retryAfterMs;
  const grown = backoffMs(failures, intervalMs);
  return failed.reason === 'ClusterUnreachable' ? Math.min(grown, UNREACHABLE_MAX_MS) : grown;
}

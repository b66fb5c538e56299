import type { Clock } from '#core/time.ts';

/**
 * How many requests of this process may be under way at one cluster: additive increase, multiplicative decrease, as TCP does
 * (RFC 5681 section 3.1). A 429 halves it and holds everybody back for Retry-After; answers that take much longer than the best ones lower it by a tenth.
 */
export type Slots = Readonly<{
  /** Resolves to a release function. Rejects with the signal's reason when it is aborted first. First come, first served. */
  take(signal: AbortSignal): Promise<() => void>;
  answered(tookMs: number): void;
  refused(retryAfterMs: number): void;
  limit(): number;
}>;

type Waiter = Readonly<{ go(): void }>;

const slowFactor = 4;
const slowFloorMs = 400;
const ceilingForMs = 30_000;
const roundTripMs = 200;

/** `startAt` requests at first, never more than `atMost`, never fewer than one. */
export function createSlots(clock: Clock, startAt: number, atMost: number): Slots {
  let limit = startAt;
  let used = 0;
  let pausedUntilMs = 0;
  let fastestMs = Number.POSITIVE_INFINITY;
  let loweredAtMs = 0;
  let ceiling = atMost;
  let ceilingUntilMs = 0;
  let timer: NodeJS.Timeout | null = null;
  const waiting: Waiter[] = [];

  function pump(): void {
    const pauseMs = pausedUntilMs - clock.nowMs();
    if (pauseMs > 0) {
      timer ??= setTimeout(() => {
        timer = null;
        pump();
      }, pauseMs).unref();
      return;
    }
    while (used < Math.floor(limit)) {
      const next = waiting.shift();
      if (next === undefined) return;
      used += 1;
      next.go();
    }
  }
  function release(): () => void {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      used -= 1;
      pump();
    };
  }
  /** False when it was lowered a moment ago: one burst of refusals counts once. */
  function lower(factor: number): boolean {
    if (clock.nowMs() - loweredAtMs < roundTripMs) return false;
    loweredAtMs = clock.nowMs();
    limit = Math.max(1, limit * factor);
    return true;
  }
  return Object.freeze({
    take(signal: AbortSignal): Promise<() => void> {
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const waiter: Waiter = {
          go(): void {
            signal.removeEventListener('abort', giveUp);
            resolve(release());
          },
        };
        function giveUp(): void {
          const place = waiting.indexOf(waiter);
          if (place >= 0) waiting.splice(place, 1);
          reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        }
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(waiter);
        pump();
      });
    },
    answered(tookMs: number): void {
      fastestMs = Math.min(fastestMs, tookMs);
      if (tookMs > slowFloorMs && tookMs > fastestMs * slowFactor) lower(0.9);
      else limit = Math.min(clock.nowMs() < ceilingUntilMs ? ceiling : atMost, limit + 1 / limit);
      pump();
    },
    refused(retryAfterMs: number): void {
      const before = Math.floor(limit);
      // What was refused is not tried again for a while, else each round trip would find the border anew (at most 1.2 times the requests, fault 18).
      if (lower(0.5)) {
        ceiling = Math.max(1, Math.min(clock.nowMs() < ceilingUntilMs ? ceiling : atMost, before - 1));
        ceilingUntilMs = clock.nowMs() + ceilingForMs;
        limit = Math.min(limit, ceiling);
      }
      pausedUntilMs = Math.max(pausedUntilMs, clock.nowMs() + retryAfterMs);
    },
    limit: () => Math.floor(limit),
  });
}

import type { Clock } from '#core/time.ts';

/** One breaker per cluster: a cluster that does not answer costs each caller nothing but an error (fault 17). */
export type Breaker = Readonly<{
  /** 0 when a request may go out now, else milliseconds until the next probe. A free probe is taken by the asking. */
  waitMs(): number;
  /** The cluster answered, whatever it said. */
  answered(): void;
  /** It did not: no connection, a cut, or no answer in time. */
  failed(): void;
  /** The asker gave up by itself: says nothing about the cluster, frees the probe. */
  withdrawn(): void;
  /** Somebody else saw it answer: requests pass again; one failure more opens it as a fourth one does. */
  returned(): void;
  isOpen(): boolean;
}>;

const failuresToOpen = 4;
const firstOpenMs = 1_000;
export const maxOpenMs = 30_000;

/** Closed: all pass. Open: none, for 1 s doubling to at most 30 s with jitter. Half-open: one probe; its answer closes. */
export function createBreaker(clock: Clock): Breaker {
  let failures = 0;
  let openForMs = 0;
  let openUntilMs = 0;
  let probing = false;
  function failed(): void {
    failures += 1;
    probing = false;
    if (failures < failuresToOpen) return;
    openForMs = openForMs === 0 ? firstOpenMs : Math.min(maxOpenMs, openForMs * 2);
    openUntilMs = clock.nowMs() + openForMs * (0.75 + clock.random() / 4);
  }
  return Object.freeze({
    waitMs(): number {
      if (openForMs === 0) return 0;
      const leftMs = openUntilMs - clock.nowMs();
      if (leftMs > 0) return leftMs;
      if (probing) return firstOpenMs;
      probing = true;
      return 0;
    },
    answered(): void {
      failures = 0;
      openForMs = 0;
      probing = false;
    },
    failed,
    withdrawn(): void {
      probing = false;
    },
    returned(): void {
      failures = Math.min(failures, failuresToOpen - 1);
      openForMs = 0;
      probing = false;
    },
    isOpen: () => openForMs > 0,
  });
}

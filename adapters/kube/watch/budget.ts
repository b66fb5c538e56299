import type { Clock } from '#core/time.ts';

/** Who needs a watch, and since when not any more. */
export type Use = {
  neededAtMs: number /** Health is in progress: the watch stays, whether it is asked for or not. */;
  inProgress: boolean;
};

export type Held = Readonly<{ id: string; clusterKey: string; full: boolean; uses: Map<string, Use>; close(): void }>;

export type WatchLimits = Readonly<{
  perProcess: number;
  perCluster: number;
  /** A delivery that did not ask for so long no longer holds a metadata watch (it has moved to another process). */
  metaIdleMs: number;
  /** The same for watches of whole objects, once nothing is in progress. */
  fullIdleMs: number;
}>;

export const defaultWatchLimits: WatchLimits = Object.freeze({
  perProcess: 2_000,
  perCluster: 300,
  metaIdleMs: 6 * 3_600_000,
  fullIdleMs: 120_000,
});

const evictIdleMs = 600_000;
const longestInProgressMs = 3 * 3_600_000;

/** The watches that are open, within a budget. */
export type Budget = Readonly<{
  get(id: string): Held | undefined;
  /** False when there is no room, not even by closing the one that is idle longest (ten minutes at least). */
  hasRoom(clusterKey: string): boolean;
  add(held: Held): void;
  release(deliveryId: string): void;
  /** Closes what nobody needs. */
  sweep(): void;
  closeAll(clusterKey?: string): void;
  count(): number;
  all(): Iterable<Held>;
}>;

export function createBudget(clock: Clock, limits: WatchLimits): Budget {
  const open = new Map<string, Held>();

  function drop(held: Held): void {
    open.delete(held.id);
    held.close();
  }
  function lastNeededMs(held: Held): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...[...held.uses.values()].map((use) => (use.inProgress ? clock.nowMs() : use.neededAtMs)));
  }
  function evict(clusterKey: string | null): boolean {
    const idle = [...open.values()]
      .filter((held) => (clusterKey === null || held.clusterKey === clusterKey) && clock.nowMs() - lastNeededMs(held) > evictIdleMs)
      .toSorted((a, b) => lastNeededMs(a) - lastNeededMs(b));
    const oldest = idle[0];
    if (oldest === undefined) return false;
    drop(oldest);
    return true;
  }
  return Object.freeze({
    get: (id: string) => open.get(id),
    hasRoom(clusterKey: string): boolean {
      const ofCluster = [...open.values()].filter((held) => held.clusterKey === clusterKey).length;
      if (ofCluster >= limits.perCluster && !evict(clusterKey)) return false;
      return open.size < limits.perProcess || evict(null);
    },
    add: (held: Held) => void open.set(held.id, held),
    release(deliveryId: string): void {
      for (const held of open.values()) held.uses.delete(deliveryId);
    },
    sweep(): void {
      for (const held of [...open.values()]) {
        const idleMs = held.full ? limits.fullIdleMs : limits.metaIdleMs;
        for (const [deliveryId, use] of held.uses) {
          const unaskedMs = clock.nowMs() - use.neededAtMs;
          if (unaskedMs > (use.inProgress ? longestInProgressMs : idleMs)) held.uses.delete(deliveryId);
        }
        if (held.uses.size === 0) drop(held);
      }
    },
    closeAll(clusterKey?: string): void {
      for (const held of [...open.values()]) if (clusterKey === undefined || held.clusterKey === clusterKey) drop(held);
    },
    count: () => open.size,
    all: () => open.values(),
  });
}

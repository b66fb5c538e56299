import type { Job } from '#core/job.ts';
import type { Log } from '#core/log.ts';
import { type NextDue, nextDueAtMs, overdueCount } from './due-times.ts';
import { type Expiry, expireEvents, expireHookDeliveries, referencedDigests, trimChangeLog } from './expiry.ts';
import { relayGrants } from './grants.ts';
import { type Channel, openListener } from './listener.ts';
import { type PickQuery, pickDue } from './pick-due.ts';
import { inPlatform, type PlatformTx } from './platform-tx.ts';
import { openPool } from './pool.ts';
import { type ReofferQuery, reoffer } from './reoffer.ts';
import { assertRole } from './roles.ts';
import { relayPlaces, relayWakes } from './wakes.ts';

export type { PickQuery };
export type Drained = Readonly<{
  taken: number;
  triggered: number /** True when rows are left that this drain did not reach. */;
  more: boolean;
}>;

/** Cross-tenant work under the scheduler's role. Only services/scheduler and deploy hold one. */
export type PlatformDb = Readonly<{
  /** Relays up to `limit` outbox rows of each sort; each drain triggers a bounded number of units. Several schedulers at once are fine. */
  drainOutbox(limit: number): Promise<Drained>;
  /** Due units, fair over tenants, within the caps. Several schedulers at once never get the same row within `offerMs`. */
  pickDue(query: PickQuery): Promise<readonly Job[]>;
  /** Units that were offered and that nobody took up, offered again; for a scheduler that starts. */
  reoffer(query: ReofferQuery): Promise<readonly Job[]>;
  /** Units that have been due for longer than `olderThanMs` and are not leased. */
  overdueCount(olderThanMs: number): Promise<number>;
  /** Database clock, and when something is due next: now or earlier when something waits already, null when nothing ever is. */
  nextDueAtMs(): Promise<NextDue>;
  /** Removes entries older than `keepMs` (never under 5 minutes), oldest first. Returns how many, at most `limit`. */
  trimChangeLog(options: Expiry): Promise<number>;
  /** Deletes Event objects unchanged for `keepMs` (watchers see DELETED). Returns how many, at most `limit`. */
  expireEvents(options: Expiry): Promise<number>;
  expireHookDeliveries(options: Expiry): Promise<number>;
  /** Digests that some tenant's artifact row names, behind `after` in byte order; for the collector of the artifact store. */
  referencedDigests(options: Readonly<{ after: string; limit: number }>): Promise<readonly string[]>;
  listen(channel: Channel, onWake: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}>;

/** Connects as weir_scheduler; refuses any other role. */
export async function openPlatformDb(options: Readonly<{ url: string; maxConnections: number; log: Log }>): Promise<PlatformDb> {
  const pool = openPool({ ...options, name: 'weir-scheduler' });
  try {
    await assertRole(pool, 'weir_scheduler');
  } catch (error) {
    await pool.end();
    throw error;
  }
  const listener = openListener(options);
  const run = <T>(fn: (tx: PlatformTx) => Promise<T>): Promise<T> => inPlatform(pool, fn);
  return Object.freeze({
    drainOutbox: async (limit: number): Promise<Drained> => {
      // Grants first: places are computed from what they say.
      const parts = [
        await run((tx) => relayGrants(tx, limit)),
        await run((tx) => relayPlaces(tx, limit)),
        await run((tx) => relayWakes(tx, limit)),
      ];
      const sum = (of: (part: Drained) => number): number => parts.reduce((total, part) => total + of(part), 0);
      return { taken: sum((one) => one.taken), triggered: sum((one) => one.triggered), more: parts.some((one) => one.more) };
    },
    pickDue: (query: PickQuery): Promise<readonly Job[]> => run((tx) => pickDue(tx, query)),
    reoffer: (query: ReofferQuery): Promise<readonly Job[]> => run((tx) => reoffer(tx, query)),
    overdueCount: (olderThanMs: number) => run((tx) => overdueCount(tx, olderThanMs)),
    nextDueAtMs: () => run(nextDueAtMs),
    trimChangeLog: (expiry: Expiry) => run((tx) => trimChangeLog(tx, expiry)),
    expireEvents: (expiry: Expiry) => run((tx) => expireEvents(tx, expiry)),
    expireHookDeliveries: (expiry: Expiry) => run((tx) => expireHookDeliveries(tx, expiry)),
    referencedDigests: (page: Readonly<{ after: string; limit: number }>) => run((tx) => referencedDigests(tx, page)),
    listen: listener.listen,
    close: async () => {
      await listener.close();
      await pool.end();
    },
  });
}

import { LRUCache } from 'lru-cache';
import type { ClusterProbe } from '#core/ports.ts';
import type { Clock } from '#core/time.ts';

type Accounts = ClusterProbe['accounts'];
type Kept = Readonly<{ accounts: Accounts; untilMs: number }>;

/** Results of permission preflights: a heartbeat comes every half minute, rights change seldom. */
export type PreflightCache = Readonly<{ get(key: string): Accounts | null; put(key: string, accounts: Accounts): void }>;

const MAX_CLUSTERS = 5_000;
const COMPLETE_MS = 10 * 60_000;
/** While a right is missing somebody is probably repairing it. */
const LACKING_MS = 25_000;

/** The key names owner, cluster and the grants that were checked, so that a changed grant is checked at once. */
export function createPreflightCache(clock: Clock): PreflightCache {
  const kept = new LRUCache<string, Kept>({ max: MAX_CLUSTERS });
  return Object.freeze({
    get: (key: string) => {
      const found = kept.get(key);
      return found === undefined || found.untilMs <= clock.nowMs() ? null : found.accounts;
    },
    put: (key: string, accounts: Accounts) => {
      const lacking = accounts.some((one) => one.missing.length > 0);
      kept.set(key, { accounts, untilMs: clock.nowMs() + (lacking ? LACKING_MS : COMPLETE_MS) });
    },
  });
}

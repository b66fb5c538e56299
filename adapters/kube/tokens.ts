import { type Account, parseAccount } from '#adapters/kube/account.ts';
import type { Bootstrap } from '#adapters/kube/bootstrap.ts';
import type { TenantToken } from '#adapters/kube/credential.ts';
import { AppError } from '#core/errors.ts';
import { type TenantScope, tenantKey } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';

export type TokenKey = Readonly<{ scope: TenantScope; clusterId: string; account: Account }>;

/** Tenants' tokens, in memory only, by tenant, cluster and account (threats F4). */
export type Tokens = Readonly<{
  /**
   * A token that is good for at least another minute. Made by TokenRequest, renewed at 80 % of its life; many askers cause one request.
   * Throws AppError invalid, clusterRefused (naming the account and the next step), clusterUnreachable.
   */
  get(key: TokenKey, bootstrap: Bootstrap, signal: AbortSignal): Promise<TenantToken>;
  /** Forgets a token that the cluster refused, if it is still the one in the cache. */
  drop(key: TokenKey, token: TenantToken): void;
  size(): number;
  clear(): void;
}>;

type Entry = Readonly<{ token: TenantToken; renewAtMs: number }>;

export const tokenSeconds = 3_600;
const renewAtShare = 0.8;
const leastLeftMs = 60_000;
const mintTimeoutMs = 15_000;

export function createTokens(clock: Clock, maxEntries: number): Tokens {
  const entries = new Map<string, Entry>();
  const flights = new Map<string, Promise<TenantToken>>();

  function keyOf(key: TokenKey): string {
    parseAccount(key.account);
    // A namespace holds no `/`, so that no two accounts share a key.
    return tenantKey(key.scope, 'kube-token', key.clusterId, key.account.namespace, key.account.name);
  }
  function keep(id: string, entry: Entry): void {
    entries.delete(id);
    entries.set(id, entry);
    const oldest = entries.size > maxEntries ? entries.keys().next() : null;
    if (oldest?.value !== undefined) entries.delete(oldest.value);
  }
  async function mint(id: string, key: TokenKey, bootstrap: Bootstrap): Promise<TenantToken> {
    const startedMs = clock.nowMs();
    // Not the asker's signal: others may wait for the same flight.
    const { token, lifeMs } = await bootstrap.mintTenant(key.account, tokenSeconds, startedMs, AbortSignal.timeout(mintTimeoutMs));
    keep(id, { token, renewAtMs: startedMs + lifeMs * renewAtShare });
    return token;
  }
  function flight(id: string, key: TokenKey, bootstrap: Bootstrap): Promise<TenantToken> {
    const running = flights.get(id);
    if (running !== undefined) return running;
    const started = mint(id, key, bootstrap).finally(() => flights.delete(id));
    flights.set(id, started);
    return started;
  }
  return Object.freeze({
    async get(key: TokenKey, bootstrap: Bootstrap, signal: AbortSignal): Promise<TenantToken> {
      const id = keyOf(key);
      const entry = entries.get(id);
      const nowMs = clock.nowMs();
      if (entry !== undefined && nowMs < entry.renewAtMs) return entry.token;
      try {
        return await aborting(flight(id, key, bootstrap), signal);
      } catch (error) {
        // A cluster that does not answer now may do so before the token in hand expires. A refusal ends it at once.
        const usable = entry !== undefined && entry.token.expiresAtMs - nowMs > leastLeftMs;
        if (usable && error instanceof AppError && error.code === 'clusterUnreachable') return entry.token;
        throw error instanceof AppError && error.code === 'unknownResult' ? new AppError('clusterUnreachable', error.message) : error;
      }
    },
    drop(key: TokenKey, token: TenantToken): void {
      const id = keyOf(key);
      if (entries.get(id)?.token === token) entries.delete(id);
    },
    size: () => entries.size,
    clear: () => entries.clear(),
  });
}

function aborting<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

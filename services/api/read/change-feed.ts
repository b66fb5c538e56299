import type { TenantDb } from '#adapters/postgres/tenant-db.ts';

/** Wakes every open watch of this process when something changed; one LISTEN for all. A lost wake-up only costs the watch's own poll time. */
export type ChangeFeed = Readonly<{
  /** Resolves at the next wake-up, after `timeoutMs`, or when `signal` aborts. Wake-ups between two waits are not lost. */
  waiter(): Waiter;
  close(): Promise<void>;
}>;

export type Waiter = Readonly<{ wait(timeoutMs: number, signal: AbortSignal): Promise<void>; end(): void }>;

/** Starts listening at once; until the connection is there, polls carry the watches. */
export async function openChangeFeed(db: TenantDb): Promise<ChangeFeed> {
  const wakers = new Set<() => void>();
  const stop = await db.listen('weir_changes', () => {
    for (const wake of wakers) wake();
  });
  return Object.freeze({ waiter: () => newWaiter(wakers), close: stop });
}

function newWaiter(wakers: Set<() => void>): Waiter {
  let isWoken = false;
  let resume: (() => void) | null = null;
  const wake = (): void => {
    isWoken = true;
    resume?.();
  };
  wakers.add(wake);
  return {
    end: () => void wakers.delete(wake),
    async wait(timeoutMs, signal) {
      if (!isWoken && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            resume = null;
            resolve();
          };
          const timer = setTimeout(done, timeoutMs);
          signal.addEventListener('abort', done);
          resume = done;
        });
      }
      isWoken = false;
    },
  };
}

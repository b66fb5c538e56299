/** A lease that is renewed while a run lives. `signal` aborts when the lease is lost or the process stops. */
export type Lease = Readonly<{ signal: AbortSignal; lost(): boolean; end(): Promise<void> }>;

type Hold = Readonly<{ renew(): Promise<boolean>; everyMs: number; stop: AbortSignal }>;

/**
 * Renews every `everyMs` until `end()`. A renewal that answers false (the fence moved) or throws (PostgreSQL is away: without it nothing may be applied)
 * aborts the run; what it has done so far is in the inventory.
 */
export function holdLease({ renew, everyMs, stop }: Hold): Lease {
  const abort = new AbortController();
  const state = { lost: false, pending: Promise.resolve() };
  const beat = async (): Promise<void> => {
    const kept = await renew().catch(() => false);
    if (kept) return;
    state.lost = true;
    abort.abort();
  };
  const timer = setInterval(() => {
    state.pending = beat();
  }, everyMs);
  return {
    signal: AbortSignal.any([abort.signal, stop]),
    lost: () => state.lost,
    end: async () => {
      clearInterval(timer);
      await state.pending;
    },
  };
}

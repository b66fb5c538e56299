import type { WriteWant, Written } from '#core/git-writer.ts';

/** One caller's write that waits for its branch. */
export type Pending = {
  readonly want: WriteWant;
  readonly signal: AbortSignal;
  /** The remote refused it together with others: it goes by itself, so that whose fault it is shows. */
  isAlone: boolean;
  isSettled(): boolean;
  resolve(written: Written): void;
  reject(error: unknown): void;
};

/** Who waits for one branch. */
export type Line = Readonly<{
  /** Takes the next that may go with others, oldest first; null when nobody waits. */
  next(): Pending | null;
  /** Who was taken and could not be served goes to the front again. */
  putBack(members: readonly Pending[]): void;
  /** Everybody who waits now, taken out. */
  takeAll(): readonly Pending[];
}>;

/** Writes of this process by branch, so that one push carries what several callers decided. What one caller waits for may be done by another. */
export type WriteQueues = Readonly<{
  /**
   * Waits in the line of `key` until somebody's push has carried this write, or it is its turn: then `lead` serves it, and whoever else is in the line. One leads at a time.
   * What `lead` throws is this caller's error. Throws the reason of `signal`.
   */
  write(key: string, want: WriteWant, signal: AbortSignal, lead: (own: Pending, line: Line) => Promise<void>): Promise<Written>;
}>;

type State = { waiting: Pending[]; last: Promise<void>; users: number };

export function createWriteQueues(): WriteQueues {
  const lines = new Map<string, State>();
  return Object.freeze({
    async write(key: string, want: WriteWant, signal: AbortSignal, lead: (own: Pending, line: Line) => Promise<void>): Promise<Written> {
      signal.throwIfAborted();
      const state = lines.get(key) ?? { waiting: [], last: Promise.resolve(), users: 0 };
      lines.set(key, state);
      state.users += 1;
      const { own, written } = pending(want, signal);
      const leave = (): void => own.reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      state.waiting.push(own);
      const led = { began: false };
      const turn = state.last.then(async () => {
        led.began = !own.isSettled();
        if (led.began) await takeLead(state, own, lead);
      });
      state.last = turn;
      try {
        return await written;
      } finally {
        signal.removeEventListener('abort', leave);
        // What it leads has files to take away.
        if (led.began) await turn;
        state.waiting = state.waiting.filter((one) => one !== own);
        state.users -= 1;
        if (state.users === 0) lines.delete(key);
      }
    },
  } satisfies WriteQueues);
}

/** Never throws: the next in the line must get its turn. */
async function takeLead(state: State, own: Pending, lead: (own: Pending, line: Line) => Promise<void>): Promise<void> {
  state.waiting = state.waiting.filter((one) => one !== own);
  try {
    await lead(own, lineOf(state));
  } catch (error) {
    own.reject(error);
  }
  if (!own.isSettled()) own.reject(new Error('a write was led and not served'));
}

function lineOf(state: State): Line {
  return {
    next() {
      const found = state.waiting.find((one) => !one.isAlone && !one.isSettled()) ?? null;
      state.waiting = state.waiting.filter((one) => one !== found);
      return found;
    },
    putBack(members) {
      state.waiting = [...members.filter((one) => !one.isSettled()), ...state.waiting];
    },
    takeAll() {
      const all = state.waiting;
      state.waiting = [];
      return all;
    },
  };
}

function pending(want: WriteWant, signal: AbortSignal): Readonly<{ own: Pending; written: Promise<Written> }> {
  const { promise, resolve, reject } = Promise.withResolvers<Written>();
  let settled = false;
  const settle = (how: () => void): void => {
    if (settled) return;
    settled = true;
    how();
  };
  const own: Pending = {
    want,
    signal,
    isAlone: false,
    isSettled: () => settled,
    resolve: (written) => settle(() => resolve(written)),
    reject: (error) => settle(() => reject(error)),
  };
  return { own, written: promise };
}

import { createHash } from 'node:crypto';
import type { GitRef, GitRemote } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import { tenantKey } from '#core/tenant.ts';

type Ask = (signal: AbortSignal) => Promise<readonly GitRef[]>;
type Asking = { readonly answer: Promise<readonly GitRef[]>; readonly stop: AbortController; waiting: number };

/** Looks at remotes of this process. */
export type Looks = Readonly<{
  /**
   * What `ask` answers, for everybody of the tenant who asks the same remote with the same credential before the question is put: one that has begun already is not joined, so
   * that nobody gets an answer from before they asked (INV-9). One question at a time; it ends when nobody waits for it any more. Throws the reason of `signal`.
   */
  look(scope: TenantScope, remote: GitRemote, signal: AbortSignal, ask: Ask): Promise<readonly GitRef[]>;
}>;

export function createLooks(): Looks {
  const next = new Map<string, Asking>();
  const running = new Map<string, Promise<unknown>>();

  function begin(key: string, ask: Ask): Asking {
    const stop = new AbortController();
    const state = { stop, waiting: 0 };
    const before = running.get(key) ?? Promise.resolve();
    const answer = before.then(() => {
      // From here on it answers what was before whoever asks next.
      if (next.get(key) === made) next.delete(key);
      stop.signal.throwIfAborted();
      return ask(stop.signal);
    });
    const made: Asking = Object.assign(state, { answer });
    // Whoever waits gets the error; the next question is put all the same.
    const ended: Promise<unknown> = answer
      .catch(() => undefined)
      .then(() => {
        if (running.get(key) === ended) running.delete(key);
      });
    running.set(key, ended);
    next.set(key, made);
    return made;
  }

  return Object.freeze({
    async look(scope: TenantScope, remote: GitRemote, signal: AbortSignal, ask: Ask) {
      signal.throwIfAborted();
      const key = createHash('sha256')
        .update(JSON.stringify([tenantKey(scope), remote]))
        .digest('hex');
      const asking = next.get(key) ?? begin(key, ask);
      asking.waiting += 1;
      const { promise: left, reject } = Promise.withResolvers<never>();
      const leave = (): void => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      try {
        return await Promise.race([asking.answer, left]);
      } finally {
        signal.removeEventListener('abort', leave);
        asking.waiting -= 1;
        if (asking.waiting === 0) {
          asking.stop.abort(new Error('nobody waits for this look'));
          // Whoever comes now puts a new question.
          if (next.get(key) === asking) next.delete(key);
        }
      }
    },
  } satisfies Looks);
}

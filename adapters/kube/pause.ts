/** Resolves after `ms`, rejects with the signal's reason when it is aborted first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}

/**
 * Asks until the answer is not null, with pauses growing from 50 ms to 1 s. Null when `timeoutMs` is over.
 */
export async function pollUntil<T>(
  timeoutMs: number,
  nowMs: () => number,
  signal: AbortSignal,
  ask: () => Promise<T | null>,
): Promise<T | null> {
  const endMs = nowMs() + timeoutMs;
  for (let waitMs = 50; ; waitMs = Math.min(1_000, waitMs * 1.5)) {
    const found = await ask();
    if (found !== null) return found;
    if (nowMs() + waitMs > endMs) return null;
    await pause(waitMs, signal);
  }
}

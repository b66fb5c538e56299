import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again until the answer is not null. Throws after `timeoutMs` with what was waited for; `explain` adds the last state.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  everyMs: number,
  ask: () => Promise<T | null>,
  explain?: () => Promise<string>,
): Promise<T> {
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > untilMs)
      throw new Error(`${what}: not within ${timeoutMs / 1_000} s${explain === undefined ? '' : `; ${await explain()}`}`);
    await sleep(everyMs);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

import { AppError } from '#core/errors.ts';
import { RACED } from '#services/api/write/store-errors.ts';

/** Each try that loses means that another write won: progress is made, and a bound keeps a request from running for ever. */
const MAX_TRIES = 50;

/**
 * A write without a precondition is tried again when somebody else (mostly the runtime, writing status) was faster, as kube-apiserver does: the caller asked for no
 * particular version. Throws the last AppError conflict.
 */
export async function untilWon<T>(mayRetry: boolean, write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      const raced = error instanceof AppError && error.code === 'conflict' && error.cause === RACED;
      if (!raced || !mayRetry || attempt === MAX_TRIES) throw error;
    }
  }
}

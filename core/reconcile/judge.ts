import type { TSchema } from 'typebox';
import { AppError, TerminalError } from '../errors.ts';
import type { Judged } from '../kind.ts';
import type { Reason } from '../outcome.ts';

const REASONS: Readonly<Record<string, Reason>> = Object.freeze({
  gitFailed: 'GitOperationFailed',
  gitAuthFailed: 'AuthenticationFailed',
  upstreamAuthFailed: 'AuthenticationFailed',
  egressDenied: 'AccessDenied',
  updateFailed: 'UpdateFailed',
  artifactTooLarge: 'StorageOperationFailed',
  buildFailed: 'BuildFailed',
  sandboxUnavailable: 'BuildFailed',
  clusterUnreachable: 'ClusterUnreachable',
  clusterRefused: 'ClusterRefused',
  unknownResult: 'UnknownResult',
  pruneFailed: 'PruneFailed',
  forbidden: 'AccessDenied',
});

/** How soon an unknown result (cut answer, time-out) is looked at again: it is neither success nor failure. */
const UNKNOWN_AGAIN_MS = 5_000;

/**
 * What a throw means for the unit. `null` for a lost fence: a newer run owns the unit and this one writes nothing more.
 * A named error keeps its message (it is made for users); anything else is our bug and shows no text of its own.
 */
export function judgeError(error: unknown, fallback: Reason): Judged<TSchema> | null {
  if (error instanceof TerminalError) return { is: 'stalled', reason: error.reason as Reason, message: error.message };
  if (error instanceof AppError) {
    if (error.code === 'fenceLost') return null;
    if (error.code === 'unknownResult')
      return { is: 'waiting', reason: 'UnknownResult', message: error.message, afterMs: UNKNOWN_AGAIN_MS };
    const reason = REASONS[error.code] ?? fallback;
    const { retryAfterMs } = error.details;
    // Only a border that was crossed needs a person; a bad kubeconfig or an unknown name may be mended elsewhere, and is looked at again with growing delay.
    if (error.code === 'forbidden' || error.code === 'egressDenied') return { is: 'stalled', reason, message: error.message };
    return { is: 'failed', reason, message: error.message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  return { is: 'failed', reason: fallback, message: 'internal error; the plane’s log has the details under this object’s name' };
}

import { AppError } from '#core/errors.ts';

export type FetchReason =
  | 'ReadOperationFailed'
  | 'OCIArtifactPullFailed'
  | 'OCIArtifactLayerOperationFailed'
  | 'AuthenticationFailed'
  | 'AccessDenied';
/** Why nothing could be fetched; `retryAfterMs` is what the registry asked for. */
export type Failure = Readonly<{ reason: FetchReason; message: string; retryAfterMs?: number }>;

/** How a failure of the registry port is shown: `reason` for what is the registry's or the content's fault. Rethrows everything else. */
export function fetchFailure(error: unknown, reason: FetchReason, what: string): Failure {
  if (!(error instanceof AppError)) throw error;
  const message = `${what}: ${error.message}`;
  switch (error.code) {
    case 'upstreamFailed': {
      const { retryAfterMs } = error.details;
      return { reason, message, ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}) };
    }
    case 'upstreamTooLarge':
    case 'notFound':
    case 'badRequest':
      return { reason, message };
    case 'upstreamAuthFailed':
      return { reason: 'AuthenticationFailed', message };
    case 'egressDenied':
      return { reason: 'AccessDenied', message: error.message.startsWith('spec.') ? error.message : `spec.url: ${error.message}` };
    default:
      throw error;
  }
}

export function isFetchReason(text: string): text is FetchReason {
  return [
    'ReadOperationFailed',
    'OCIArtifactPullFailed',
    'OCIArtifactLayerOperationFailed',
    'AuthenticationFailed',
    'AccessDenied',
  ].includes(text);
}

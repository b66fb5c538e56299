import { AppError } from '#core/errors.ts';

export type FetchReason = 'AuthenticationFailed' | 'AccessDenied' | 'ChartPullError' | 'InvalidChartReference' | 'NoSourceArtifact';

/** How a failure of a download is shown; null for what is not the remote's or the credential's fault. */
export function pullFailure(error: unknown): Readonly<{ reason: FetchReason; message: string; retryAfterMs?: number }> | null {
  if (!(error instanceof AppError)) return null;
  const { message, details } = error;
  switch (error.code) {
    case 'upstreamFailed':
    case 'upstreamTooLarge':
    case 'notFound':
      return { reason: 'ChartPullError', message, ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }) };
    case 'upstreamAuthFailed':
      return { reason: 'AuthenticationFailed', message };
    case 'egressDenied':
      return { reason: 'AccessDenied', message };
    case 'unavailable':
      return { reason: 'NoSourceArtifact', message };
    default:
      return null;
  }
}

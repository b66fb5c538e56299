import { AppError } from '#core/errors.ts';

/** What a failed request is for its caller: an AppError that names the host and the kind of trouble, and no path, query or credential. */
export function failureOf(error: unknown, host: string, spentMs: number | null): unknown {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1)
    if (cause instanceof AppError) return cause;
  if (spentMs !== null)
    return new AppError('upstreamFailed', `the host ${host} did not answer whole within ${spentMs} ms`, {}, { cause: error });
  // Our own bug, or our own disk: nothing of it is the host's.
  if (error instanceof TypeError || error instanceof RangeError || (error instanceof Error && 'path' in error)) return error;
  return new AppError('upstreamFailed', `the host ${host} does not answer: ${wordOf(error)}`, {}, { cause: error });
}

const WORDS: Readonly<Record<string, string>> = Object.freeze({
  ENOTFOUND: 'its name does not resolve',
  ECONNREFUSED: 'it refuses the connection',
  ECONNRESET: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_OVERFLOW: 'its headers are too large',
  ENETUNREACH: 'there is no route to it',
  EHOSTUNREACH: 'there is no route to it',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  Z_DATA_ERROR: 'its compressed answer is damaged',
  Z_BUF_ERROR: 'its compressed answer is cut',
});

function wordOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const word = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  return word ?? (/^[A-Z_]{1,60}$/.test(code) ? code : 'the connection failed');
}

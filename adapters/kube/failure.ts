import { AppError } from '#core/errors.ts';

/** Codes of errors that come before the first byte of a request is written: the name was not resolved, nobody listened, or the certificate was refused. */
const unsentCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** True only when it is certain that the server saw nothing of the request. */
export function isKnownUnsent(error: unknown): boolean {
  // An AppError comes out of the egress policy's look-up: there is no connection yet.
  if (error instanceof AppError) return true;
  return codesOf(error).some((code) => unsentCodes.has(code) || code.startsWith('ERR_SSL_'));
}

/** What went wrong, for people: a code, or a short text without addresses. */
export function describeFailure(error: unknown): string {
  if (error instanceof AppError) return error.message.slice(0, 200);
  const [code] = codesOf(error);
  if (code !== undefined) return sentences[code] ?? code;
  return error instanceof Error ? error.message.slice(0, 120) : 'unknown failure';
}

const sentences: Readonly<Record<string, string>> = Object.freeze({
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name could not be resolved',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'the connection was cut',
  ECONNRESET: 'the connection was cut',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed and not the caBundle’s',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not the caBundle’s',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not the caBundle’s',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not the caBundle’s',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
});

function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : [];
  return [...own, ...inner, ...(error.cause === undefined ? [] : codesOf(error.cause))];
}

/**
 * The error table: code → how it is answered, whether trying again can help, and who has to act.
 * `docs/errors.md` is generated from it; a test forbids a code that is not here.
 */
export type WhoActs = 'user' | 'operator' | 'us';
export type ErrorEntry = Readonly<{ httpStatus: number; reason: string; retryable: boolean; who: WhoActs; about: string }>;

export const errorTable = Object.freeze({
  badRequest: {
    httpStatus: 400,
    reason: 'BadRequest',
    retryable: false,
    who: 'user',
    about: 'The request could not be read; the message names the part.',
  },
  unauthorized: {
    httpStatus: 401,
    reason: 'Unauthorized',
    retryable: false,
    who: 'user',
    about: 'No token, or one that is not valid. Run `weir login`.',
  },
  forbidden: { httpStatus: 403, reason: 'Forbidden', retryable: false, who: 'user', about: 'The role lacks this verb on this kind.' },
  notFound: { httpStatus: 404, reason: 'NotFound', retryable: false, who: 'user', about: 'No such object that the caller may see.' },
  methodNotAllowed: { httpStatus: 405, reason: 'MethodNotAllowed', retryable: false, who: 'user', about: 'The kind has no such verb.' },
  notAcceptable: {
    httpStatus: 406,
    reason: 'NotAcceptable',
    retryable: false,
    who: 'user',
    about: 'None of the asked media types can be served.',
  },
  alreadyExists: { httpStatus: 409, reason: 'AlreadyExists', retryable: false, who: 'user', about: 'An object of this name exists.' },
  conflict: {
    httpStatus: 409,
    reason: 'Conflict',
    retryable: true,
    who: 'user',
    about: 'The object changed in between; read it again and repeat.',
  },
  expired: {
    httpStatus: 410,
    reason: 'Expired',
    retryable: true,
    who: 'user',
    about: 'The resource version is older than the change log; list again.',
  },
  tooLarge: {
    httpStatus: 413,
    reason: 'RequestEntityTooLarge',
    retryable: false,
    who: 'user',
    about: 'The body is over the limit that the message names.',
  },
  unsupportedMediaType: {
    httpStatus: 415,
    reason: 'UnsupportedMediaType',
    retryable: false,
    who: 'user',
    about: 'The content type is not accepted here.',
  },
  invalid: {
    httpStatus: 422,
    reason: 'Invalid',
    retryable: false,
    who: 'user',
    about: 'A field breaks its schema or a rule; each cause names the field.',
  },
  tooManyRequests: {
    httpStatus: 429,
    reason: 'TooManyRequests',
    retryable: true,
    who: 'user',
    about: 'The budget is spent; wait as Retry-After says.',
  },
  internal: {
    httpStatus: 500,
    reason: 'InternalError',
    retryable: true,
    who: 'us',
    about: 'A bug of ours; the Audit-Id finds it in the log.',
  },
  unavailable: { httpStatus: 503, reason: 'ServiceUnavailable', retryable: true, who: 'operator', about: 'Not ready, or shutting down.' },
  timeout: { httpStatus: 504, reason: 'Timeout', retryable: true, who: 'user', about: 'The asked resource version is not there yet.' },
  gitFailed: {
    httpStatus: 502,
    reason: 'GitOperationFailed',
    retryable: true,
    who: 'user',
    about: 'The git server did not do what was asked; the message is the remote side’s, without credentials.',
  },
  gitAuthFailed: {
    httpStatus: 502,
    reason: 'AuthenticationFailed',
    retryable: true,
    who: 'user',
    about: 'The git server refused the credential of secretRef.',
  },
  egressDenied: {
    httpStatus: 403,
    reason: 'EgressDenied',
    retryable: false,
    who: 'operator',
    about: 'The address is private and WEIR_EGRESS_ALLOW does not list it.',
  },
  upstreamFailed: {
    httpStatus: 502,
    reason: 'UpstreamFailed',
    retryable: true,
    who: 'user',
    about: 'The named host did not give a whole answer in time; the message says how it failed.',
  },
  upstreamAuthFailed: {
    httpStatus: 502,
    reason: 'AuthenticationFailed',
    retryable: true,
    who: 'user',
    about: 'The named host refused the credential, or asks for one.',
  },
  upstreamTooLarge: {
    httpStatus: 502,
    reason: 'UpstreamTooLarge',
    retryable: false,
    who: 'user',
    about: 'The named host sends more than the limit that the message names.',
  },
  updateFailed: {
    httpStatus: 422,
    reason: 'UpdateFailed',
    retryable: true,
    who: 'user',
    about: 'Image updates could not be written into the files; the message names what to correct.',
  },
  artifactTooLarge: {
    httpStatus: 413,
    reason: 'ArtifactTooLarge',
    retryable: false,
    who: 'user',
    about: 'The source tree is over a limit that the message names.',
  },
  buildFailed: {
    httpStatus: 422,
    reason: 'BuildFailed',
    retryable: true,
    who: 'user',
    about: 'The manifests could not be built; the message names file and reason.',
  },
  sandboxUnavailable: {
    httpStatus: 503,
    reason: 'SandboxUnavailable',
    retryable: true,
    who: 'operator',
    about: 'No sandbox can isolate here; install bubblewrap, allow user namespaces, or set WEIR_SANDBOX=weak.',
  },
  clusterUnreachable: {
    httpStatus: 503,
    reason: 'ClusterUnreachable',
    retryable: true,
    who: 'operator',
    about: 'The cluster’s API server did not answer.',
  },
  clusterRefused: {
    httpStatus: 403,
    reason: 'ClusterRefused',
    retryable: true,
    who: 'operator',
    about: 'The cluster refused our credential; run `weir cluster onboard` again.',
  },
  clusterAnswer: {
    httpStatus: 502,
    reason: 'ReconciliationFailed',
    retryable: true,
    who: 'user',
    about: 'The cluster’s API server refused an object; the message is its own.',
  },
  pruneFailed: {
    httpStatus: 409,
    reason: 'PruneFailed',
    retryable: true,
    who: 'user',
    about: 'An object that left the source could not be deleted; it stays in the inventory.',
  },
  unknownResult: {
    httpStatus: 504,
    reason: 'UnknownResult',
    retryable: true,
    who: 'operator',
    about: 'An answer was cut or late: neither success nor failure.',
  },
  fenceLost: { httpStatus: 409, reason: 'FenceLost', retryable: true, who: 'us', about: 'A newer run owns this unit; this one stops.' },
  decryptFailed: {
    httpStatus: 500,
    reason: 'DecryptFailed',
    retryable: false,
    who: 'operator',
    about: 'A sealed value does not open with the key file at hand.',
  },
} satisfies Record<string, ErrorEntry>);

export type ErrorCode = keyof typeof errorTable;

/** One field of one object that is wrong: becomes an entry of `details.causes` of a Kubernetes Status. */
export type Cause = Readonly<{
  reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
    | 'NamespaceTerminating'
    | 'ResourceVersionTooLarge';
  field?: string;
  message: string;
}>;

export type ErrorDetails = Readonly<{
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: readonly Cause[];
  retryAfterSeconds?: number;
  retryAfterMs?: number;
}>;

/**
 * The caller's fault or a named upstream's. The message says what to do next, quotes the caller's own names, and never holds
 * a secret, a full URL or another tenant's name: it is shown to users as it is.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }
}

/** No retry can help: the unit is stalled with this reason until a person changes something. */
export class TerminalError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TerminalError';
    this.reason = reason;
  }
}

/** Ends an exhaustive switch: the compiler refuses a case that is not handled. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}

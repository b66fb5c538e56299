/** Plain HTTP to addresses that users write, as adapters see it; `adapters/egress/http.ts` implements it. */

/** Sent to the scheme, host and port of the first address only, and to nobody from the first change on (threats B10, C8). */
export type HttpCredential =
  | Readonly<{ is: 'none' }>
  | Readonly<{ is: 'basic'; username: string; password: string }>
  | Readonly<{ is: 'bearer'; token: string }>;

export type HttpRequest = Readonly<{
  url: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Lower-case names. Sent to redirect targets too, except those of `private`, so a secret belongs into `credential`, or into `private`. */
  headers?: Readonly<Record<string, string>>;
  /** Headers that hold a secret; treated as the credential is. */
  private?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  credential: HttpCredential;
  /** Authorities to trust in place of the public ones; null for those. */
  caPem: string | null;
  clientCertificate: Readonly<{ certificatePem: string; keyPem: string }> | null;
  /** Only where the operator allows it; else AppError egressDenied. Absent: no. */
  allowHttp?: boolean;
  /** Of the body after decompression. */
  maxBytes: number;
  /** Of everything, redirects and body included. */
  timeoutMs: number;
  /** How many are followed, at most 5; 0 answers the 3xx itself. Only GET and HEAD are ever redirected. */
  redirects: number;
  /** Bytes go into memory, or into a file that must not exist yet; of answers outside 2xx at most 64 KiB go into memory in both cases. */
  to: 'buffer' | Readonly<{ file: string }>;
  signal: AbortSignal;
}>;

export type HttpAnswer = Readonly<{
  status: number;
  /** Lower-case names; of a repeated header all values, joined with a comma. */
  headers: Readonly<Record<string, string>>;
  /** Empty when the bytes went into the file. */
  body: Buffer;
  /** The file, when `to` named one and the status is 2xx. */
  path: string | null;
  sizeBytes: number;
  /** `sha256:<hex>` of the bytes received, after decompression. */
  digest: string;
  finalUrl: string;
  /** From Retry-After, of seconds or of a date, at most an hour; null when there is none. */
  retryAfterMs: number | null;
}>;

export interface EgressHttp {
  /**
   * One request and, where allowed, its redirects; each hop is resolved and checked in the socket's own look-up (threats G1, G2). Every status is an answer. Throws AppError
   * egressDenied (private address, plain http, too many hops), upstreamFailed (no whole answer in time), upstreamTooLarge; an aborted one throws the signal's reason.
   * No message quotes a path, a query or a credential. A file of a failed request is removed.
   */
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

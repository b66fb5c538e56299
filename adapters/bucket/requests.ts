import type { BucketRemote } from '#core/bucket.ts';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer, HttpRequest } from '#core/http.ts';
import type { Clock } from '#core/time.ts';
import { encoded, queryText, signedHeaders, type ToSign } from './sign.ts';
import { parseXml, textOf } from './xml.ts';

export type ReadOptions = Readonly<{
  method: 'GET' | 'HEAD';
  /** Null for the bucket itself. */
  key: string | null;
  query: ToSign['query'];
  to: HttpRequest['to'];
  maxBytes: number;
  timeoutMs: number;
  signal: AbortSignal;
}>;
export type BucketHttp = Readonly<{ http: EgressHttp; clock: Clock; allowHttp: boolean }>;

/** One signed read, path style. Null for what the bucket does not have (404). Throws AppError upstreamFailed, upstreamAuthFailed, upstreamTooLarge, egressDenied. */
export async function read({ http, clock, allowHttp }: BucketHttp, remote: BucketRemote, options: ReadOptions): Promise<HttpAnswer | null> {
  const { host } = new URL(remote.origin);
  const key = options.key === null ? '' : `/${options.key.split('/').map(encoded).join('/')}`;
  const path = `/${encoded(remote.bucketName)}${key}`;
  const query = queryText(options.query);
  const { credential, region } = remote;
  const answer = await http.request({
    url: `${remote.origin}${path}${query === '' ? '' : `?${query}`}`,
    method: options.method,
    // What was signed is sent as it is: another encoding of the answer would also change what an etag stands for.
    headers: { 'accept-encoding': 'identity' },
    private: credential === null ? {} : signedHeaders({ ...options, host, path, region, credential, nowMs: clock.nowMs() }),
    credential: { is: 'none' },
    caPem: remote.caPem,
    clientCertificate: remote.clientCertificate,
    allowHttp,
    maxBytes: options.maxBytes,
    timeoutMs: options.timeoutMs,
    // A signature is good for one host and path; a redirect names another region or endpoint, which the user has to write.
    redirects: 0,
    to: options.to,
    signal: options.signal,
  });
  if (answer.status === 404) return null;
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refusal(answer, host);
}

const AUTH_CODES: ReadonlySet<string> = Object.freeze(
  new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'ExpiredToken']),
);

/** The server's own code is shown, since it tells what to mend; nothing else that it says is. */
function refusal({ status, body, headers, retryAfterMs }: HttpAnswer, host: string): AppError {
  const root = body.byteLength === 0 ? null : parseXml(body.toString('utf8'));
  const said = root === null ? undefined : textOf(root, 'Code');
  const code = said !== undefined && /^[A-Za-z]{1,60}$/.test(said) ? said : '';
  const shown = `${status}${code === '' ? '' : ` ${code}`}`;
  const details = retryAfterMs === null ? {} : { retryAfterMs };
  if (status >= 300 && status < 400)
    return new AppError(
      'upstreamFailed',
      `the object store ${host} redirects (${shown}): write the endpoint and region of the bucket itself`,
    );
  if (code === 'AuthorizationHeaderMalformed') {
    const region = root === null ? undefined : textOf(root, 'Region');
    const hint = region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? `: it expects the region ${region}` : ': see spec.region';
    return new AppError('upstreamAuthFailed', `the object store ${host} refuses the signature (${shown})${hint}`);
  }
  if (status === 401 || status === 403 || AUTH_CODES.has(code))
    return new AppError('upstreamAuthFailed', `the object store ${host} refuses the credential (${shown})`, details);
  // A HEAD has no body that could tell; S3 then names the region in a header.
  const region = headers['x-amz-bucket-region'];
  const hint = status === 400 && region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? `: the bucket is in region ${region}` : '';
  return new AppError('upstreamFailed', `the object store ${host} answers ${shown}${hint}`, details);
}

import type { BucketRemote } from '#core/bucket.ts';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer, HttpRequest } from '#core/http.ts';
import type { Clock } from '#core/time.ts';
import { encoded, queryText, signedHeaders, type ToSign } from './sign.ts';
import { parseXml, textOf } from './xml.ts';

export type ReadOptions = Readonly<{
  /** Null for the bucket itself. */
  key: string | null;
  query: ToSign['query'];
  to: HttpRequest['to'];
  maxBytes: number;
  timeoutMs: number;
  signal: AbortSignal;
}>;
export type BucketHttp = Readonly<{
  http: EgressHttp;
  clock: Clock;
  /** Hosts (with their port, unless it is 80) that the operator lets be reached over plain http. */
  allowHttpHosts: readonly string[];
}>;

/** One signed read, path style. Null for what the bucket does not have (404). Throws AppError upstreamFailed, upstreamAuthFailed, upstreamTooLarge, egressDenied. */
export async function read(
  { http, clock, allowHttpHosts }: BucketHttp,
  remote: BucketRemote,
  options: ReadOptions,
): Promise<HttpAnswer | null> {
  const { host } = new URL(remote.origin);
  const key = options.key === null ? '' : `/${options.key.split('/').map(encoded).join('/')}`;
  const path = `/${encoded(remote.bucketName)}${key}`;
  const query = queryText(options.query);
  const { credential, region } = remote;
  const answer = await http.request({
    url: `${remote.origin}${path}${query === '' ? '' : `?${query}`}`,
    method: 'GET',
    // What was signed is sent as it is: another encoding of the answer would also change what an etag stands for.
    headers: { 'accept-encoding': 'identity' },
    private:
      credential === null
        ? {}
        : signedHeaders({ method: 'GET', query: options.query, host, path, region, credential, nowMs: clock.nowMs() }),
    credential: { is: 'none' },
    caPem: remote.caPem,
    clientCertificate: remote.clientCertificate,
    allowHttp: allowHttpHosts.includes(host),
    maxBytes: options.maxBytes,
    timeoutMs: options.timeoutMs,
    // A signature is good for one host and path; a redirect names another region or endpoint, which the user has to write.
    redirects: 0,
    to: options.to,
    signal: options.signal,
  });
  if (answer.status === 404 && MISSING_CODES.has(codeOf(answer))) return null;
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refusal(answer, host);
}

const MISSING_CODES: ReadonlySet<string> = Object.freeze(new Set(['', 'NotFound', 'NoSuchKey', 'NoSuchBucket']));
/** The last one is what Versity's gateway answers, with 404, to an access key that it does not know. */
const AUTH_CODES: ReadonlySet<string> = Object.freeze(
  new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'ExpiredToken', 'XAdminUserNotFound']),
);

/** The server's own code is shown, since it tells what to mend; nothing else that it says is. */
function refusal(answer: HttpAnswer, host: string): AppError {
  const { status, retryAfterMs } = answer;
  const code = codeOf(answer);
  const shown = `${status}${code === '' ? '' : ` ${code}`}`;
  const details = retryAfterMs === null ? {} : { retryAfterMs };
  if (status >= 300 && status < 400)
    return new AppError(
      'upstreamFailed',
      `the object store ${host} redirects (${shown}): write the endpoint and region of the bucket itself`,
    );
  if (code === 'AuthorizationHeaderMalformed') {
    const root = parseXml(answer.body.toString('utf8'));
    const region = root === null ? undefined : textOf(root, 'Region');
    const hint = region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? `: it expects the region ${region}` : ': see spec.region';
    return new AppError('upstreamAuthFailed', `the object store ${host} refuses the signature (${shown})${hint}`);
  }
  if (status === 401 || status === 403 || AUTH_CODES.has(code))
    return new AppError('upstreamAuthFailed', `the object store ${host} refuses the credential (${shown})`, details);
  return new AppError('upstreamFailed', `the object store ${host} answers ${shown}`, details);
}

function codeOf({ body }: HttpAnswer): string {
  const root = body.byteLength === 0 ? null : parseXml(body.toString('utf8'));
  const said = root === null ? undefined : textOf(root, 'Code');
  return said !== undefined && /^[A-Za-z]{1,60}$/.test(said) ? said : '';
}

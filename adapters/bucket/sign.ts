import { createHash, createHmac } from 'node:crypto';

/** SHA-256 of an empty body. */
const EMPTY_BODY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const ALGORITHM = 'AWS4-HMAC-SHA256';

export type ToSign = Readonly<{
  method: 'GET' | 'PUT';
  /** With the port unless it is the scheme's own: what the Host header will say. */
  host: string;
  /** Encoded as it will be sent. */
  path: string;
  query: readonly (readonly [name: string, value: string])[];
  region: string;
  credential: Readonly<{ accessKey: string; secretKey: string }>;
  /** Hexadecimal; that of no body when absent. */
  bodySha256?: string;
  nowMs: number;
}>;

/** Headers of AWS Signature Version 4 for S3 (AWS General Reference, "Create a signed AWS API request"). They hold no secret that outlives minutes, and are private all the same. Pure. */
export function signedHeaders(request: ToSign): Readonly<Record<string, string>> {
  const time = new Date(request.nowMs).toISOString().replace(/[-:]|\.[0-9]{3}/g, '');
  const day = time.slice(0, 8);
  const body = request.bodySha256 ?? EMPTY_BODY;
  const scope = `${day}/${request.region}/s3/aws4_request`;
  const headers = { host: request.host, 'x-amz-content-sha256': body, 'x-amz-date': time };
  const names = Object.keys(headers).join(';');
  const canonical = [
    request.method,
    request.path,
    queryText(request.query),
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    '',
    names,
    body,
  ].join('\n');
  const text = [ALGORITHM, time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, request.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${request.credential.secretKey}`,
  );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return {
    'x-amz-content-sha256': body,
    'x-amz-date': time,
    authorization: `${ALGORITHM} Credential=${request.credential.accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** The query in the order and encoding that is signed, which is also what is sent. Pure. */
export function queryText(query: ToSign['query']): string {
  const pairs = query.map(([name, value]) => [encoded(name), encoded(value)] as const);
  return pairs
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Percent encoding of RFC 3986's unreserved set, as the signature wants it; encodeURIComponent leaves five more as they are. Pure. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

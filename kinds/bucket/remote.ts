import type { BucketRemote } from '#core/bucket.ts';
import type { BucketSpec } from './schema.ts';

type Values = Readonly<Record<string, Uint8Array>>;
export type NamedSecret = Readonly<{ shown: string; values: Values }>;

/** The bucket with what the Secrets say, or why it cannot be asked. No message quotes a value. */
export type Remote =
  | Readonly<{ is: 'remote'; remote: BucketRemote }>
  | Readonly<{ is: 'failed'; message: string }>
  | Readonly<{ is: 'urlInvalid'; message: string }>;

const DEFAULT_REGION = 'us-east-1';
const MAX_ENDPOINT_LENGTH = 2_048;
/** What a header can carry, and a signature is made of. */
const PLAIN = /^[\u0021-\u007e]{1,1024}$/;
const REGION = /^[A-Za-z0-9_-]{1,64}$/;

/** Keys of definitions.md 1.4: `accesskey` with `secretkey`; `ca.crt` (wins over the deprecated `caFile`), `tls.crt` with `tls.key`. Without a Secret the bucket is asked as anybody. Pure. */
export function remoteFrom(spec: BucketSpec, login: NamedSecret | null, tls: NamedSecret | null): Remote {
  const origin = originOf(spec);
  if (!origin.startsWith('http')) return { is: 'urlInvalid', message: `spec.endpoint ${origin}` };
  const region = spec.region === undefined || spec.region === '' ? DEFAULT_REGION : spec.region;
  if (!REGION.test(region)) return { is: 'urlInvalid', message: 'spec.region must be letters, digits, - and _' };
  if (spec.bucketName === '' || spec.bucketName === '.' || spec.bucketName === '..' || /[/\u0000-\u001f]/.test(spec.bucketName))
    return { is: 'urlInvalid', message: 'spec.bucketName must be the name of a bucket, without a slash' };
  const credential = credentialOf(login);
  if (typeof credential === 'string') return { is: 'failed', message: credential };
  const trust = trustOf(tls);
  if (typeof trust === 'string') return { is: 'failed', message: trust };
  return { is: 'remote', remote: Object.freeze({ origin, bucketName: spec.bucketName, region, credential, ...trust }) };
}

/** `https://host[:port]`, or a sentence that goes on after `spec.endpoint`. Pure. */
function originOf({ endpoint, insecure }: BucketSpec): string {
  const wanted = insecure === true ? 'http' : 'https';
  if (endpoint.length > MAX_ENDPOINT_LENGTH) return `must be at most ${MAX_ENDPOINT_LENGTH} characters`;
  const url = URL.parse(/^https?:\/\//.test(endpoint) ? endpoint : `${wanted}://${endpoint}`);
  if (url === null || url.hostname === '' || /[\s\\?#]/.test(endpoint)) return 'must be a host such as s3.example.org:9000';
  if (url.username !== '' || url.password !== '')
    return 'must not contain a credential: put it into a Secret and name it in spec.secretRef';
  if (url.pathname !== '/') return 'must not have a path: the bucket is named in spec.bucketName';
  if (url.protocol === 'http:' && wanted === 'https') return 'is plain HTTP, which needs spec.insecure: true';
  return `${wanted}://${url.host}`;
}

function credentialOf(login: NamedSecret | null): BucketRemote['credential'] | string {
  if (login === null) return null;
  const [accessKey, secretKey] = [read(login, 'accesskey'), read(login, 'secretkey')];
  if (accessKey === '' || secretKey === '') return `invalid '${login.shown}' secret data: required fields 'accesskey' and 'secretkey'`;
  if (!PLAIN.test(accessKey) || !PLAIN.test(secretKey))
    return `invalid '${login.shown}' secret data: accesskey and secretkey must be plain characters without blanks and line breaks`;
  return { accessKey, secretKey };
}

function trustOf(tls: NamedSecret | null): Pick<BucketRemote, 'caPem' | 'clientCertificate'> | string {
  if (tls === null) return { caPem: null, clientCertificate: null };
  const caPem = read(tls, 'ca.crt') !== '' ? read(tls, 'ca.crt') : read(tls, 'caFile');
  const certificatePem = read(tls, 'tls.crt') !== '' ? read(tls, 'tls.crt') : read(tls, 'certFile');
  const keyPem = read(tls, 'tls.key') !== '' ? read(tls, 'tls.key') : read(tls, 'keyFile');
  const failed = (message: string): string => `failed to create TLS config: Secret ${tls.shown} ${message}`;
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----')) return failed('has no PEM certificate under ca.crt');
  if ((certificatePem === '') !== (keyPem === '')) return failed('needs tls.crt and tls.key together');
  if (caPem === '' && certificatePem === '') return failed('has none of ca.crt, tls.crt, tls.key');
  return { caPem: caPem === '' ? null : caPem, clientCertificate: certificatePem === '' ? null : { certificatePem, keyPem } };
}

function read({ values }: NamedSecret, key: string): string {
  // A line break at the end is what `echo` and editors leave behind, and part of no key.
  return new TextDecoder().decode(values[key] ?? new Uint8Array()).replace(/\r?\n$/, '');
}

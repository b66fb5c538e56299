import type { ChartRemote } from './charts.ts';

type Values = Readonly<Record<string, Uint8Array>>;
export type NamedSecret = Readonly<{ shown: string; values: Values }>;
export type ChartLogin = Readonly<{ is: 'remote'; remote: ChartRemote }> | Readonly<{ is: 'failed'; message: string }>;

const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * A chart repository with what its Secrets say (definitions.md 1.4, 2.4): `username` with `password` of spec.secretRef; `ca.crt`, `tls.crt` with `tls.key` of
 * spec.certSecretRef, which wins over the deprecated `caFile`, `certFile`, `keyFile` of spec.secretRef. No message quotes a value. Pure.
 */
export function chartLogin(
  base: Pick<ChartRemote, 'url' | 'passCredentials' | 'timeoutMs'>,
  { login, tls }: Readonly<{ login: NamedSecret | null; tls: NamedSecret | null }>,
): ChartLogin {
  const [username, password] = [valueOf(login, 'username'), valueOf(login, 'password')];
  if ((username === '') !== (password === '')) return failed(login, 'needs username and password together');
  if (username.includes(':')) return failed(login, 'has a username with a colon, which basic authentication cannot carry');
  if (CONTROL.test(username) || CONTROL.test(password)) return failed(login, 'has a line break or another control character in a value');
  const source = tls ?? login;
  const caPem = firstOf(source, ['ca.crt', 'caFile']);
  const certificatePem = firstOf(source, ['tls.crt', 'certFile']);
  const keyPem = firstOf(source, ['tls.key', 'keyFile']);
  if ((certificatePem === '') !== (keyPem === '')) return failed(source, 'needs tls.crt and tls.key together');
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----')) return failed(source, 'has no PEM certificate under ca.crt');
  if (tls !== null && caPem === '' && certificatePem === '') return failed(tls, 'has neither ca.crt nor tls.crt with tls.key');
  return {
    is: 'remote',
    remote: {
      ...base,
      credential: username === '' ? { is: 'none' } : { is: 'basic', username, password },
      caPem: caPem === '' ? null : caPem,
      clientCertificate: certificatePem === '' ? null : { certificatePem, keyPem },
    },
  };
}

function failed(secret: NamedSecret | null, message: string): ChartLogin {
  return { is: 'failed', message: `failed to configure authentication options: Secret ${secret?.shown ?? ''} ${message}` };
}

function firstOf(secret: NamedSecret | null, keys: readonly string[]): string {
  return keys.map((key) => valueOf(secret, key)).find((value) => value !== '') ?? '';
}

function valueOf(secret: NamedSecret | null, key: string): string {
  const value = secret?.values[key];
  return value === undefined ? '' : new TextDecoder().decode(value);
}

import type { ChartRemote } from './charts.ts';
import { dockerLogin } from './docker-config.ts';
import type { HttpCredential } from './http.ts';
import type { OciAddress } from './oci-values.ts';
import type { RegistryRemote } from './registry.ts';

type Values = Readonly<Record<string, Uint8Array>>;
export type NamedSecret = Readonly<{ shown: string; values: Values }>;
export type ChartSecrets = Readonly<{ login: NamedSecret | null; tls: NamedSecret | null }>;
type Failed = Readonly<{ is: 'failed'; message: string }>;
export type ChartLogin = Readonly<{ is: 'remote'; remote: ChartRemote }> | Failed;
export type RegistryLogin = Readonly<{ is: 'remote'; remote: RegistryRemote }> | Failed;

const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * A chart repository with what its Secrets say (definitions.md 1.4, 2.4): `username` with `password` of spec.secretRef; `ca.crt`, `tls.crt` with `tls.key` of
 * spec.certSecretRef, which wins over the deprecated `caFile`, `certFile`, `keyFile` of spec.secretRef. No message quotes a value. Pure.
 */
export function chartLogin(base: Pick<ChartRemote, 'url' | 'passCredentials' | 'timeoutMs'>, secrets: ChartSecrets): ChartLogin {
  const credential = basicLogin(secrets.login);
  if (credential.is === 'failed') return credential;
  const trust = trustOf(secrets);
  return 'is' in trust ? trust : { is: 'remote', remote: Object.freeze({ ...base, credential, ...trust }) };
}

/** A chart in a registry with what the Secrets of its repository say: `.dockerconfigjson`, or the two keys above; TLS as above. No message quotes a value. Pure. */
export function registryLogin({ host, repository }: OciAddress, insecure: boolean, secrets: ChartSecrets): RegistryLogin {
  const config = valueOf(secrets.login, '.dockerconfigjson');
  const found = config === '' ? null : dockerLogin(config, host);
  if (found?.is === 'failed') return failed(secrets.login, found.message);
  const credential = found === null ? basicLogin(secrets.login) : found.credential;
  if (credential.is === 'failed') return credential;
  const trust = trustOf(secrets);
  return 'is' in trust ? trust : { is: 'remote', remote: Object.freeze({ host, repository, insecure, credential, ...trust }) };
}

function basicLogin(login: NamedSecret | null): HttpCredential | Failed {
  const [username, password] = [valueOf(login, 'username'), valueOf(login, 'password')];
  if ((username === '') !== (password === '')) return failed(login, 'needs username and password together');
  if (username.includes(':')) return failed(login, 'has a username with a colon, which basic authentication cannot carry');
  if (CONTROL.test(username) || CONTROL.test(password)) return failed(login, 'has a line break or another control character in a value');
  return username === '' ? { is: 'none' } : { is: 'basic', username, password };
}

function trustOf({ login, tls }: ChartSecrets): Pick<ChartRemote, 'caPem' | 'clientCertificate'> | Failed {
  const source = tls ?? login;
  const caPem = firstOf(source, ['ca.crt', 'caFile']);
  const certificatePem = firstOf(source, ['tls.crt', 'certFile']);
  const keyPem = firstOf(source, ['tls.key', 'keyFile']);
  if ((certificatePem === '') !== (keyPem === '')) return failed(source, 'needs tls.crt and tls.key together');
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----')) return failed(source, 'has no PEM certificate under ca.crt');
  if (tls !== null && caPem === '' && certificatePem === '') return failed(tls, 'has neither ca.crt nor tls.crt with tls.key');
  return { caPem: caPem === '' ? null : caPem, clientCertificate: certificatePem === '' ? null : { certificatePem, keyPem } };
}

function failed(secret: NamedSecret | null, message: string): Failed {
  return { is: 'failed', message: `failed to configure authentication options: Secret ${secret?.shown ?? ''} ${message}` };
}

function firstOf(secret: NamedSecret | null, keys: readonly string[]): string {
  return keys.map((key) => valueOf(secret, key)).find((value) => value !== '') ?? '';
}

function valueOf(secret: NamedSecret | null, key: string): string {
  const value = secret?.values[key];
  return value === undefined ? '' : new TextDecoder().decode(value);
}

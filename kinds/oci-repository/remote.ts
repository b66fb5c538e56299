import { dockerLogin } from '#core/docker-config.ts';
import type { HttpCredential } from '#core/http.ts';
import type { OciAddress } from '#core/oci-values.ts';
import type { RegistryRemote } from '#core/registry.ts';

type Values = Readonly<Record<string, Uint8Array>>;
export type NamedSecret = Readonly<{ shown: string; values: Values }>;

/** The repository with what the Secrets say, or why it cannot be asked. No message quotes a value. */
export type Remote = Readonly<{ is: 'remote'; remote: RegistryRemote }> | Readonly<{ is: 'failed'; message: string }>;
export type Secrets = Readonly<{ logins: readonly NamedSecret[]; tls: NamedSecret | null }>;

const CONTROL = /[\u0000-\u001f\u007f]/;

/** Keys of definitions.md 1.4. Of several logins the first that names the registry counts; without one it is asked as anybody. Pure. */
export function remoteFrom({ host, repository }: OciAddress, insecure: boolean, { logins, tls }: Secrets): Remote {
  let credential: HttpCredential = { is: 'none' };
  for (const login of logins) {
    const found = loginFrom(login, host);
    if (typeof found === 'string')
      return { is: 'failed', message: `failed to configure authentication options: Secret ${login.shown} ${found}` };
    if (credential.is === 'none') credential = found;
  }
  const trust = trustFrom(tls);
  if (typeof trust === 'string') return { is: 'failed', message: `failed to create TLS config: Secret ${tls?.shown ?? ''} ${trust}` };
  return { is: 'remote', remote: Object.freeze({ host, repository, insecure, credential, ...trust }) };
}

/** `.dockerconfigjson`, or else `username` with `password`; a sentence that goes on after the Secret's name for what is neither. */
function loginFrom({ values }: NamedSecret, host: string): HttpCredential | string {
  const read = (key: string): string => new TextDecoder().decode(values[key] ?? new Uint8Array());
  const config = read('.dockerconfigjson');
  if (config !== '') {
    const login = dockerLogin(config, host);
    return login.is === 'failed' ? login.message : login.credential;
  }
  const [username, password] = [read('username'), read('password')];
  if (username === '' && password === '') return 'has no key .dockerconfigjson: make it of type kubernetes.io/dockerconfigjson';
  if (username === '' || password === '') return 'needs username and password together';
  if (username.includes(':')) return 'has a username with a colon, which basic authentication cannot carry';
  if (CONTROL.test(username) || CONTROL.test(password))
    return 'has a line break or another control character in a value: write it without one';
  return { is: 'basic', username, password };
}

function trustFrom(tls: NamedSecret | null): Pick<RegistryRemote, 'caPem' | 'clientCertificate'> | string {
  if (tls === null) return { caPem: null, clientCertificate: null };
  const read = (...keys: readonly string[]): string =>
    keys.map((key) => new TextDecoder().decode(tls.values[key] ?? new Uint8Array())).find((value) => value !== '') ?? '';
  const [caPem, certificatePem, keyPem] = [read('ca.crt', 'caFile'), read('tls.crt', 'certFile'), read('tls.key', 'keyFile')];
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----')) return 'has no PEM certificate under ca.crt';
  if ((certificatePem === '') !== (keyPem === '')) return 'needs tls.crt and tls.key together';
  if (caPem === '' && certificatePem === '') return 'has none of ca.crt, tls.crt, tls.key';
  return { caPem: caPem === '' ? null : caPem, clientCertificate: certificatePem === '' ? null : { certificatePem, keyPem } };
}

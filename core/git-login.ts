import type { GitRemote } from './ports.ts';

type Values = Readonly<Record<string, Uint8Array>>;

/** The remote with what the Secret says, or why the Secret cannot be used. No message quotes a value. */
export type Login =
  | Readonly<{ is: 'remote'; remote: GitRemote }>
  | Readonly<{ is: 'failed'; reason: 'AuthenticationFailed' | 'InvalidProviderConfiguration'; message: string }>
  | Readonly<{ is: 'unsupported'; message: string }>;

const CONTROL = /[\u0000-\u001f\u007f]/;

/** Keys of definitions.md 1.4: `username` with `password` (which win), `bearerToken`, `ca.crt` (wins over the deprecated `caFile`). Pure. */
export function loginFrom(spec: Readonly<{ url: string }>, secret: Readonly<{ shown: string; values: Values }> | null): Login {
  if (secret === null) return { is: 'remote', remote: { url: spec.url, credential: { is: 'none' }, caPem: null } };
  const { shown, values } = secret;
  const read = (key: string): string => new TextDecoder().decode(values[key] ?? new Uint8Array());
  const failed = (message: string): Login => ({
    is: 'failed',
    reason: 'AuthenticationFailed',
    message: `failed to configure authentication options: Secret ${shown} ${message}`,
  });
  if (read('githubAppID') !== '')
    return {
      is: 'failed',
      reason: 'InvalidProviderConfiguration',
      message: `secretRef '${shown}' has github app data but provider is not set to github`,
    };
  if ((read('tls.crt') === '') !== (read('tls.key') === '')) return failed('needs tls.crt and tls.key together');
  if (read('tls.crt') !== '')
    return {
      is: 'unsupported',
      message: `Secret ${shown} has a client certificate (tls.crt, tls.key), which this release does not use for git: use username and password, or bearerToken`,
    };
  const caPem = read('ca.crt') !== '' ? read('ca.crt') : read('caFile');
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----')) return failed('has no PEM certificate under ca.crt');
  const [username, password, token] = [read('username'), read('password'), read('bearerToken')];
  if (username === '' && password !== '') return failed('has a password and no username');
  if (username.includes(':')) return failed('has a username with a colon, which basic authentication cannot carry');
  if ([username, password, token].some((value) => CONTROL.test(value)))
    return failed('has a line break or another control character in a value: write it without one');
  const credential: GitRemote['credential'] =
    username !== '' ? { is: 'basic', username, password } : token !== '' ? { is: 'bearer', token } : { is: 'none' };
  return { is: 'remote', remote: { url: spec.url, credential, caPem: caPem === '' ? null : caPem } };
}

import type { HttpCredential } from './http.ts';
import { at, isObject, type Json, parseJson, textAt } from './json.ts';

/** What `.dockerconfigjson` says about one registry, or why it cannot be used. No message quotes a value. */
export type DockerLogin = Readonly<{ is: 'credential'; credential: HttpCredential }> | Readonly<{ is: 'failed'; message: string }>;

const MAX_BYTES = 1_048_576;
const CONTROL = /[\u0000-\u001f\u007f]/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** All spellings of Docker Hub are one registry. */
const HUB: ReadonlySet<string> = Object.freeze(new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']));

/**
 * The login for a registry host from the text of a `kubernetes.io/dockerconfigjson` Secret: `auths.<host>` with `auth`, or `username` and `password`, or `registrytoken`.
 * Hosts are compared whole, with their port, never as a pattern; without an entry for the host there is no credential. Pure.
 */
export function dockerLogin(config: string, host: string): DockerLogin {
  if (config.length > MAX_BYTES) return failed(`is larger than ${MAX_BYTES} bytes`);
  const auths = at(jsonOf(config), 'auths');
  if (!isObject(auths)) return failed('has no JSON object "auths" under .dockerconfigjson');
  const found = Object.entries(auths).filter(([key]) => sameHost(hostOf(key), host));
  const entry = found[0]?.[1];
  if (entry === undefined) return { is: 'credential', credential: { is: 'none' } };
  if (found.length > 1) return failed(`names ${host} more than once`);
  return isObject(entry) ? loginOf(entry) : failed(`has no JSON object for ${host}`);
}

function loginOf(entry: Json): DockerLogin {
  const token = textAt(entry, 'registrytoken') ?? '';
  if ((textAt(entry, 'identitytoken') ?? '') !== '')
    return failed('has an identitytoken, which this release does not use: write username and password');
  if (token !== '')
    return CONTROL.test(token) ? failed('has a control character in a value') : { is: 'credential', credential: { is: 'bearer', token } };
  const auth = textAt(entry, 'auth') ?? '';
  const [username, password] = auth === '' ? [textAt(entry, 'username') ?? '', textAt(entry, 'password') ?? ''] : pairOf(auth);
  if (username === '' && password === '')
    return auth === '' ? { is: 'credential', credential: { is: 'none' } } : failed('has an auth that is not base64 of user:password');
  if (username === '' || username.includes(':')) return failed('has a user name that is empty or holds a colon');
  if (CONTROL.test(username) || CONTROL.test(password)) return failed('has a control character in a value');
  return { is: 'credential', credential: { is: 'basic', username, password } };
}

function pairOf(auth: string): readonly [string, string] {
  if (!BASE64.test(auth)) return ['', ''];
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `https://index.docker.io/v1/` and `registry.example:5000` alike. */
function hostOf(key: string): string {
  return (
    key
      .replace(/^https?:\/\//, '')
      .split('/')[0]
      ?.toLowerCase() ?? ''
  );
}

function sameHost(left: string, right: string): boolean {
  return left === right || (HUB.has(left) && HUB.has(right));
}

function jsonOf(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    // Said by the caller as a Secret without "auths"; the parser's own message would quote the text.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function failed(message: string): DockerLogin {
  return { is: 'failed', message };
}

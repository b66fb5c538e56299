import { textAt } from '#core/json.ts';
import type { Secrets } from '#core/ports.ts';
import type { Forge, ForgeCredential, ForgeRemote } from '#core/pull-requests.ts';
import type { PullRequestPolicySpec } from './schema.ts';

export type Server = Omit<ForgeRemote, 'repository'>;
export type FoundServer = Readonly<{ is: 'server'; server: Server }> | Readonly<{ is: 'failed'; message: string }>;

const PUBLIC: Readonly<Record<Forge, string>> = Object.freeze({
  github: 'https://api.github.com',
  gitlab: 'https://gitlab.com/api/v4',
  gitea: '',
  bitbucket: 'https://api.bitbucket.org/2.0',
});
const SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,99}$/;
/** What a header carries without another meaning. */
const TOKEN = /^[\u0021-\u007e]{1,4096}$/;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** What is wrong with the address of an API, or null. It is not quoted, since it may hold a password. Pure. */
export function apiUrlProblem(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'must be an https:// URL';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password: put them into the Secret';
  return url.search !== '' || url.hash !== '' || /[?#]/.test(text) ? 'must not contain a query or fragment' : null;
}

/** What is wrong with a repository's name, or null. Pure. */
export function repositoryProblem(forge: Forge, repository: string): string | null {
  const segments = repository.split('/');
  if (segments.length < 2 || segments.length > 21 || !segments.every((one) => SEGMENT.test(one)))
    return 'must be owner/name in letters, digits, dots, dashes and underscores';
  return forge !== 'gitlab' && segments.length !== 2 ? `must have exactly one slash for ${forge}` : null;
}

/** The repository that a GitRepository's URL names: its path without `.git`. Pure. */
export function repositoryOfUrl(url: string): string {
  const path = URL.parse(url)?.pathname ?? '';
  return path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}

/** The server with the credential of the Secret, read anew each time. No message quotes a value. */
export async function serverOf(secrets: Secrets, namespace: string, spec: PullRequestPolicySpec): Promise<FoundServer> {
  const { provider: forge } = spec;
  const apiUrl = (spec.url ?? PUBLIC[forge]).replace(/\/+$/, '');
  const shown = `Secret ${namespace}/${spec.secretRef.name}`;
  const values = await secrets.read(namespace, spec.secretRef.name);
  if (values === null) return failed(`${shown} does not exist: create it with the key token`);
  const read = (key: string): string => new TextDecoder().decode(values[key] ?? new Uint8Array());
  const credential = credentialOf(forge, { token: read('token').trim(), username: read('username'), password: read('password') });
  if (typeof credential === 'string') return failed(`${shown} ${credential}`);
  const caPem = read('ca.crt');
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----')) return failed(`${shown} has no PEM certificate under ca.crt`);
  return { is: 'server', server: { forge, apiUrl, credential, caPem: caPem === '' ? null : caPem } };
}

type Login = Readonly<{ token: string; username: string; password: string }>;

function credentialOf(forge: Forge, { token, username, password }: Login): ForgeCredential | string {
  if (token !== '') return TOKEN.test(token) ? { is: 'bearer', token } : 'has a token with blanks or control characters';
  if (username === '' || password === '') return 'has neither token, nor username and password';
  if (forge === 'gitlab') return 'has no token: the API of GitLab takes no password';
  if (username.includes(':') || CONTROL.test(username) || CONTROL.test(password))
    return 'has a username or password that basic authentication cannot carry';
  return { is: 'basic', username, password };
}

function failed(message: string): FoundServer {
  return { is: 'failed', message };
}

/** The branch that an automation checks out (definitions.md 5.3), '' when that is none. Pure. */
export function checkedOutBranch(automation: Parameters<typeof textAt>[0], source: Parameters<typeof textAt>[0]): string {
  const own = textAt(automation, 'spec', 'git', 'checkout', 'ref', 'branch');
  const branch = own ?? textAt(source, 'spec', 'ref', 'branch');
  return branch ?? '';
}

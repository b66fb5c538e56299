import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type GitCredential = Readonly<
  { mayPush: boolean } & ({ scheme: 'basic'; username: string; password: string } | { scheme: 'bearer'; token: string })
>;

/** Who may read a repository: everybody, or only the holders of its credentials. To push always takes a credential that may. */
export type RepositoryAccess = Readonly<{ readers: 'everybody' | 'credentials'; credentials: readonly GitCredential[] }>;

export type AccessAnswer = 'allowed' | 'unauthenticated' | 'forbidden';

/** The value of the Authorization header that stands for a credential. */
export function authorizationOf(credential: GitCredential): string {
  if (credential.scheme === 'bearer') return `Bearer ${credential.token}`;
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`;
}

/** Decides one request. A wrong credential is refused even where none is needed, as forges do. */
export function decideAccess(access: RepositoryAccess, headers: IncomingHttpHeaders, isPush: boolean): AccessAnswer {
  if (headers.authorization === undefined) return access.readers === 'everybody' && !isPush ? 'allowed' : 'unauthenticated';
  const given = headers.authorization;
  const credential = access.credentials.find((one) => isSame(given, authorizationOf(one)));
  if (credential === undefined) return 'unauthenticated';
  return isPush && !credential.mayPush ? 'forbidden' : 'allowed';
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

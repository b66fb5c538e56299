import type { IncomingHttpHeaders } from 'node:http';
import type { OidcVerifier } from '#adapters/oidc/verify.ts';
import { AppError } from '#core/errors.ts';
import type { Log } from '#core/log.ts';
import type { Membership, Principal } from '#core/tenant.ts';
import { isWeirToken } from '#services/api/auth/token-text.ts';

/** Who calls, from the headers alone. Throws AppError `unauthorized`, `forbidden` for impersonation headers, `unavailable` when the issuer cannot be asked. */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Principal>;

/** The tenants of an identity as the database has them now. */
export type MembershipsOf = (
  identity: Readonly<{ issuer: string; subject: string; groups: readonly string[] }>,
) => Promise<readonly Membership[]>;

export type AuthenticateDeps = Readonly<{
  oidc: OidcVerifier;
  membershipsOf: MembershipsOf;
  /** The principal of a token that Weir made, or null when it is unknown, expired or revoked. */
  weirToken(token: string): Promise<Principal | null>;
  /** The OIDC group whose people administer the platform; null: nobody does. */
  platformAdminGroup: string | null;
  log: Log;
}>;

const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const maxHeaderLength = 16_384 + 16;

/**
 * Bearer tokens only: OIDC ID tokens of the configured issuer, and tokens that Weir made. Rights are read from the database for each request,
 * never from the token and never from a cache, so that whoever is removed is out at once (kube-api.md 2.6 and 6.3, threats H3 and H9).
 */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  return async (headers) => {
    const token = tokenOf(headers);
    const principal = await identify(deps, token);
    refuseImpersonation(headers, principal);
    return principal;
  };
}

async function identify(deps: AuthenticateDeps, token: string): Promise<Principal> {
  try {
    return isWeirToken(token) ? await knownToken(deps, token) : await oidcPrincipal(deps, token);
  } catch (error) {
    if (error instanceof AppError && error.code === 'unauthorized') deps.log.info({ why: reasonOf(error) }, 'token refused');
    throw error;
  }
}

async function knownToken(deps: AuthenticateDeps, token: string): Promise<Principal> {
  const principal = await deps.weirToken(token);
  if (principal === null) throw new AppError('unauthorized', 'Unauthorized', {}, { cause: new Error('unknown, expired or revoked') });
  return principal;
}

async function oidcPrincipal(deps: AuthenticateDeps, token: string): Promise<Principal> {
  const identity = await deps.oidc.verify(token);
  const { issuer, subject, groups } = identity;
  const memberships = await deps.membershipsOf({ issuer, subject, groups });
  const platformAdmin = deps.platformAdminGroup !== null && groups.includes(deps.platformAdminGroup);
  return Object.freeze({ ...identity, via: 'oidc', platformAdmin, memberships, limits: null });
}

function tokenOf(headers: IncomingHttpHeaders): string {
  const value = headers.authorization;
  const token = value === undefined || value.length > maxHeaderLength ? undefined : bearer.exec(value)?.[1];
  if (token === undefined) throw new AppError('unauthorized', 'Unauthorized');
  return token;
}

/** Ignoring `--as` would run the command as somebody else than the user asked for (kube-api.md T11). Node has put names into lower case. */
function refuseImpersonation(headers: IncomingHttpHeaders, principal: Principal): void {
  const asked = Object.keys(headers).find((name) => name.toLowerCase().startsWith('impersonate-'));
  if (asked === undefined) return;
  throw new AppError('forbidden', `User "${principal.name}" cannot impersonate: this server refuses the header ${asked.toLowerCase()}`);
}

function reasonOf(error: AppError): string {
  return error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}`.slice(0, 200) : 'no reason';
}

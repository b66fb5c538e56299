import type { Principal } from '#core/tenant.ts';

/** Issuers of identities that Weir itself makes. No URL has this form, so no OIDC issuer can say them. */
export const accessTokenIssuer = 'weir:access-token';
export const serviceAccountIssuer = 'weir:serviceaccount';

const serviceAccountPrefix = 'system:serviceaccount:';

export type IdentityKey = Readonly<{ issuer: string; subject: string }>;

/** Text that names an identity in rows: `<issuer>|<subject>`. An issuer holds no `|` (configuration refuses it), so the first one separates. */
export function principalKey(principal: Pick<Principal, 'issuer' | 'subject'>): string {
  return `${principal.issuer}|${principal.subject}`;
}

/** The identity of a key, or null for a text that is none. Pure. */
export function parsePrincipalKey(key: string): IdentityKey | null {
  const at = key.indexOf('|');
  return at < 1 || at === key.length - 1 ? null : { issuer: key.slice(0, at), subject: key.slice(at + 1) };
}

/** The name of a ServiceAccount as an identity, as Kubernetes writes it. */
export function serviceAccountSubject(namespace: string, name: string): string {
  return `${serviceAccountPrefix}${namespace}:${name}`;
}

/** Whose word a subject in `Tenant.spec.members` is: the plane's own for ServiceAccounts, else the OIDC issuer's. Pure. */
export function issuerOfMember(subject: string, oidcIssuer: string): string {
  return subject.startsWith(serviceAccountPrefix) ? serviceAccountIssuer : oidcIssuer;
}

import { timingSafeEqual } from 'node:crypto';
import type { FoundToken } from '#adapters/postgres/directory.ts';
import { getObjectByUid } from '#adapters/postgres/objects.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import { type Role, roles } from '#core/resource.ts';
import { type Actor, type Membership, type Principal, scopeOfOwner } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';
import {
  accessTokenIssuer,
  type IdentityKey,
  parsePrincipalKey,
  serviceAccountIssuer,
  serviceAccountSubject,
} from '#services/api/auth/principal-key.ts';
import { hashToken, isWellFormedToken } from '#services/api/auth/token-text.ts';

export type WeirTokensDeps = Readonly<{ db: TenantDb; clock: Clock }>;

/**
 * The principal behind a token that Weir made, or null when it is unknown, expired, or its object is gone. A token is found by its hash, belongs to one tenant,
 * and never has more than its maker has at this moment (threats H9). Reads the owner's AccessToken or ServiceAccount row.
 */
export function createWeirTokens({ db, clock }: WeirTokensDeps): (token: string) => Promise<Principal | null> {
  return async (token) => {
    if (!isWellFormedToken(token)) return null;
    const hash = hashToken(token);
    const found = await db.directory.tokenByHash(Buffer.from(hash).toString('hex'));
    if (found === null || !isSameHash(hash, found.hash) || found.expiresAtMs <= clock.nowMs()) return null;
    const maker = parsePrincipalKey(found.makerKey);
    if (maker === null || !(await isAlive(db, found, kindOf(maker)))) return null;
    const [membership] = await rightsOf(db, found, maker);
    return Object.freeze({
      ...identityOf(found, maker),
      groups: [],
      platformAdmin: false,
      memberships: membership === undefined ? [] : [membership],
      limits: found.limits,
      expiresAtMs: found.expiresAtMs,
    });
  };
}

function isSameHash(hash: Uint8Array, storedHex: string): boolean {
  const stored = Buffer.from(storedHex, 'hex');
  return stored.length === hash.length && timingSafeEqual(stored, hash);
}

function kindOf(maker: IdentityKey): 'ServiceAccount' | 'AccessToken' {
  return maker.issuer === serviceAccountIssuer ? 'ServiceAccount' : 'AccessToken';
}

/** Deleting the object ends its tokens at once, whatever became of the directory row. */
async function isAlive(db: TenantDb, found: FoundToken, kind: string): Promise<boolean> {
  const actor: Actor = { name: 'authentication', via: kind === 'ServiceAccount' ? 'service-account' : 'access-token' };
  const object = await db.inTenant(scopeOfOwner(found, actor), (tx) => getObjectByUid(tx, found.uid), { readOnly: true });
  return object !== null && object.kind === kind && object.deletingAtMs === null;
}

/** What the maker may in the token's own tenant now, at most the role they had when they made it. */
async function rightsOf(db: TenantDb, found: FoundToken, maker: IdentityKey): Promise<readonly Membership[]> {
  const memberships = await db.directory.membershipsOf({ ...maker, groups: found.makerGroups });
  return memberships
    .filter((one) => one.tenantId === found.ownerTenantId)
    .map((one) => Object.freeze({ ...one, role: weaker(one.role, found.role) }));
}

function weaker(left: Role, right: Role): Role {
  return roles.indexOf(left) <= roles.indexOf(right) ? left : right;
}

function identityOf(found: FoundToken, maker: IdentityKey): Pick<Principal, 'issuer' | 'subject' | 'name' | 'via'> {
  if (maker.issuer === serviceAccountIssuer) {
    const subject = serviceAccountSubject(found.namespace, found.name);
    return { issuer: serviceAccountIssuer, subject, name: subject, via: 'service-account' };
  }
  return { issuer: accessTokenIssuer, subject: found.uid, name: `weir:access-token:${found.namespace}:${found.name}`, via: 'access-token' };
}

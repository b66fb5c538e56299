import { timingSafeEqual } from 'node:crypto';
import type { Caller, FoundToken } from '#adapters/postgres/directory.ts';
import { getObjectByUid } from '#adapters/postgres/objects.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import { type Role, roles } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { type Membership, type Principal, scopeOfOwner } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';
import { makerGroups } from '#services/api/auth/maker-groups.ts';
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
 * and never has more than its maker has at this moment (threats H9). Reads the owner's AccessToken or ServiceAccount row; nothing is cached.
 */
export function createWeirTokens({ db, clock }: WeirTokensDeps): (token: string) => Promise<Principal | null> {
  return async (token) => {
    if (!isWellFormedToken(token)) return null;
    const hash = hashToken(token);
    const found = await db.directory.tokenByHash(Buffer.from(hash).toString('hex'));
    if (found === null || !isSameHash(hash, found.hash) || found.expiresAtMs <= clock.nowMs()) return null;
    const maker = parsePrincipalKey(found.makerKey);
    if (maker === null) return null;
    return maker.issuer === serviceAccountIssuer ? serviceAccount(db, found, maker.subject) : accessToken(db, found, maker);
  };
}

function isSameHash(hash: Uint8Array, storedHex: string): boolean {
  const stored = Buffer.from(storedHex, 'hex');
  return stored.length === hash.length && timingSafeEqual(stored, hash);
}

/** Acts for its maker, within its limits, in the tenant that holds it. */
async function accessToken(db: TenantDb, found: FoundToken, maker: IdentityKey): Promise<Principal | null> {
  const object = await living(db, found, { kind: 'AccessToken', uid: found.uid });
  if (object === null) return null;
  const groups = makerGroups(object.status);
  return principalOf(found, {
    issuer: accessTokenIssuer,
    subject: found.uid,
    name: `weir:access-token:${found.namespace}:${found.name}`,
    via: 'access-token',
    memberships: await rightsOf(db, found, { ...maker, groups }),
  });
}

/** A member like any other: its rights are those that `Tenant.spec.members` gives its name. */
async function serviceAccount(db: TenantDb, found: FoundToken, uid: string): Promise<Principal | null> {
  const object = await living(db, found, { kind: 'ServiceAccount', uid });
  if (object === null) return null;
  const subject = serviceAccountSubject(object.namespace, object.name);
  const memberships = await rightsOf(db, found, { issuer: serviceAccountIssuer, subject, groups: [] });
  return principalOf(found, { issuer: serviceAccountIssuer, subject, name: subject, via: 'service-account', memberships });
}

/** Deleting the object ends its tokens at once, whatever became of the directory row. */
async function living(db: TenantDb, found: FoundToken, wanted: Readonly<{ kind: string; uid: string }>): Promise<StoredObject | null> {
  const scope = scopeOfOwner(found, { name: 'authentication', via: 'access-token' });
  const object = await db.inTenant(scope, (tx) => getObjectByUid(tx, wanted.uid), { readOnly: true });
  return object !== null && object.kind === wanted.kind && object.deletingAtMs === null ? object : null;
}

/** What the maker may in the token's own tenant now, at most the role they had when they made it. */
async function rightsOf(db: TenantDb, found: FoundToken, maker: Caller): Promise<readonly Membership[]> {
  const memberships = await db.directory.membershipsOf(maker);
  return memberships
    .filter((one) => one.tenantId === found.ownerTenantId)
    .map((one) => Object.freeze({ ...one, role: weaker(one.role, found.role) }));
}

function weaker(left: Role, right: Role): Role {
  return roles.indexOf(left) <= roles.indexOf(right) ? left : right;
}

function principalOf(found: FoundToken, who: Pick<Principal, 'issuer' | 'subject' | 'name' | 'via' | 'memberships'>): Principal {
  return Object.freeze({ ...who, groups: [], platformAdmin: false, limits: found.limits, expiresAtMs: found.expiresAtMs });
}

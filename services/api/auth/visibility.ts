import { randomUUID } from 'node:crypto';
import type { AppError } from '#core/errors.ts';
import type { Resource, Role } from '#core/resource.ts';
import { authorize, type Membership, PLATFORM_NAMESPACE, PLATFORM_TENANT_ID, type Principal, type TenantScope } from '#core/tenant.ts';
import { type Asked, forbidden, yourNamespaces } from '#services/api/auth/answers.ts';
import { namespaceNotFound, objectNotFound } from '#services/api/wire/status.ts';

/** The tenant that owns what a request names; null when it is nobody's, or not for this caller to know. */
export type Place = Readonly<{ tenantId: string; tenantName: string }> | null;

/** A tenant with all its namespaces, as a platform admin's list covers it. */
export type TenantNamespaces = Readonly<{ tenantId: string; tenantName: string; namespaces: readonly string[] }>;

export type Allowed = Readonly<{ is: 'allowed'; scope: TenantScope; tenantName: string; role: Role | 'platform-admin'; onlyOwn: boolean }>;
export type Refused = Readonly<{ is: 'hidden' | 'forbidden'; error: AppError }>;
/** A member asks for Clusters of the platform: those granted to their tenants are shown, by auth/shared-clusters.ts. */
export type SharedClusters = Readonly<{ is: 'sharedClusters' }>;
export type Decision = Allowed | SharedClusters | Refused;

/** One tenant's part of a list over all namespaces. */
export type Part = Readonly<{
  scope: TenantScope;
  tenantName: string;
  role: Role | 'platform-admin';
  onlyOwn: boolean;
  namespaces: readonly string[];
}>;
export type AcrossDecision = Readonly<{ is: 'allowed'; parts: readonly Part[] }> | Refused;

/** What `locate` needs of the directory. */
export type PlaceDirectory = Readonly<{
  tenantOfNamespace(name: string): Promise<Place>;
  tenantByName(name: string): Promise<Place>;
}>;

/**
 * Which tenant a request is about. A member's own places are in the principal; only for a platform admin is the directory asked, so that everybody
 * else's request costs the same for what exists and what does not. A Tenant to be created gets its id here: it owns itself.
 */
export async function locate(directory: PlaceDirectory, principal: Principal, asked: Asked): Promise<Place> {
  if (asked.resource.kind === 'Tenant') return locateTenant(directory, principal, asked);
  const namespace = asked.resource.kind === 'Namespace' ? asked.name : asked.namespace;
  if (namespace === null || namespace === '') return null;
  const membership = principal.memberships.find((one) => one.namespaces.includes(namespace));
  if (membership !== undefined) return placeOf(membership);
  if (!principal.platformAdmin) return null;
  if (namespace === PLATFORM_NAMESPACE) return { tenantId: PLATFORM_TENANT_ID, tenantName: PLATFORM_NAMESPACE };
  return directory.tenantOfNamespace(namespace);
}

async function locateTenant(directory: PlaceDirectory, principal: Principal, asked: Asked): Promise<Place> {
  const { name, verb } = asked;
  if (verb === 'create' && asked.subresource === undefined)
    return principal.platformAdmin ? { tenantId: randomUUID(), tenantName: name ?? '' } : null;
  const membership = principal.memberships.find((one) => one.tenantName === name);
  if (membership !== undefined) return placeOf(membership);
  return principal.platformAdmin && name !== null ? directory.tenantByName(name) : null;
}

function placeOf(membership: Membership): Place {
  return { tenantId: membership.tenantId, tenantName: membership.tenantName };
}

/** Whether the caller may do what is asked, about one place. Pure. The error of a refusal is ready to be thrown. */
export function decide(principal: Principal, place: Place, asked: Asked): Decision {
  if (place === null) return isSharedClusterRead(principal, asked) ? { is: 'sharedClusters' } : refuseNowhere(principal, asked);
  const answer = authorize(principal, { ...asked, ...place });
  if (answer.allowed)
    return { is: 'allowed', scope: answer.scope, tenantName: place.tenantName, role: answer.role, onlyOwn: answer.onlyOwn };
  if (!answer.visible) return hidden(principal, asked);
  return { is: 'forbidden', error: forbidden(principal, asked, answer.reason) };
}

/**
 * A LIST or WATCH without a namespace, or of a cluster-scoped kind: the tenants in which the caller may, each with its namespaces (kube-api.md 3.3).
 * `everything` holds all tenants when the caller is a platform admin, else it is empty. Refused only when there is no part at all. Also answers in which
 * tenants a Namespace may be created (verb create). Pure.
 */
export function decideAcross(principal: Principal, asked: Asked, everything: readonly TenantNamespaces[]): AcrossDecision {
  const parts: Part[] = [];
  const reasons: string[] = [];
  for (const tenant of tenantsOf(principal, everything)) {
    const answer = authorize(principal, { ...asked, ...tenant });
    if (answer.allowed)
      parts.push({
        scope: answer.scope,
        tenantName: tenant.tenantName,
        role: answer.role,
        onlyOwn: answer.onlyOwn,
        namespaces: tenant.namespaces,
      });
    else if (principal.memberships.some((one) => one.tenantId === tenant.tenantId)) reasons.push(answer.reason);
  }
  if (parts.length > 0) return { is: 'allowed', parts };
  return { is: 'forbidden', error: forbidden(principal, asked, reasons[0] ?? yourNamespaces(principal)) };
}

function tenantsOf(principal: Principal, everything: readonly TenantNamespaces[]): readonly TenantNamespaces[] {
  const own = new Set(principal.memberships.map((one) => one.tenantId));
  const others = principal.platformAdmin ? everything.filter((one) => !own.has(one.tenantId)) : [];
  return [...principal.memberships, ...others];
}

/** Whether answers to this caller may hold an object's secret values: the right to `get` them (design.md section 4). Pure. */
export function canRead(principal: Principal, resource: Resource, place: NonNullable<Place>): boolean {
  return authorize(principal, { verb: 'get', resource, ...place }).allowed;
}

function isSharedClusterRead(principal: Principal, asked: Asked): boolean {
  const isRead = asked.verb === 'get' || asked.verb === 'list';
  if (asked.resource.kind !== 'Cluster' || asked.subresource !== undefined || asked.namespace !== PLATFORM_NAMESPACE || !isRead)
    return false;
  return principal.memberships.some(
    (one) => authorize(principal, { ...asked, tenantId: one.tenantId, tenantName: one.tenantName }).allowed,
  );
}

/** No place that the caller may know. A platform admin still hears 403 for what they may read nowhere: rights come before existence. */
function refuseNowhere(principal: Principal, asked: Asked): Refused {
  if (!principal.platformAdmin) return hidden(principal, asked);
  const anywhere = authorize(principal, { ...asked, tenantId: PLATFORM_TENANT_ID, tenantName: PLATFORM_NAMESPACE });
  if (!anywhere.allowed)
    return { is: 'forbidden', error: forbidden(principal, asked, 'a platform admin who is no member of the tenant lacks this right') };
  if (asked.name !== null) return { is: 'hidden', error: objectNotFound(asked.resource, asked.name) };
  return { is: 'hidden', error: namespaceNotFound(asked.namespace) };
}

/** The same bytes whether the namespace exists or not (kube-api.md 2.5). */
function hidden(principal: Principal, asked: Asked): Refused {
  const { verb, resource, namespace, name } = asked;
  if (name !== null && (verb !== 'create' || asked.subresource !== undefined))
    return { is: 'hidden', error: objectNotFound(resource, name) };
  if (verb === 'create' && namespace !== '') return { is: 'hidden', error: namespaceNotFound(namespace) };
  return { is: 'hidden', error: forbidden(principal, asked, yourNamespaces(principal)) };
}

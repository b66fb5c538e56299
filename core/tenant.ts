import type { Access, Resource, Role, Subresource, Verb } from './resource.ts';
import { roles } from './resource.ts';

declare const scopeBrand: unique symbol;

/** Who causes a change: shown in audit entries, ledger and events. `via` says how they came. */
export type Actor = Readonly<{ name: string; via: 'oidc' | 'access-token' | 'service-account' | 'webhook' | 'worker' | 'scheduler' }>;

/**
 * The right to touch one tenant's data. Made only by `authorize` (API), `scopeOfJob` (workers) and `scopeOfOwner` (directory tables);
 * taken first by everything that reads or writes tenant data, and the only maker of Redis keys, temporary directories and artifact paths.
 */
export type TenantScope = Readonly<{ tenantId: string; actor: Actor; [scopeBrand]: true }>;

/** The tenant that owns `weir-system`: shared clusters and grants live there. A constant, so that every plane has the same. */
export const PLATFORM_TENANT_ID = '00000000-0000-4000-8000-000000000001';
export const PLATFORM_NAMESPACE = 'weir-system';

/** One tenant of a principal with the namespaces of the plane that belong to it. */
export type Membership = Readonly<{ tenantId: string; tenantName: string; role: Role; namespaces: readonly string[] }>;

/** What a machine token is limited to: verbs by plural, never more than its maker has at the time of use. `*` stands for every plural. */
export type TokenLimits = Readonly<Record<string, readonly Verb[]>>;

/** An authenticated caller with the rights read from the database for this request. Identity is (issuer, subject), never an e-mail address. */
export type Principal = Readonly<{
  issuer: string;
  subject: string;
  /** What people see: e-mail or preferred user name, or the token's name. */
  name: string;
  via: 'oidc' | 'access-token' | 'service-account';
  groups: readonly string[];
  platformAdmin: boolean;
  memberships: readonly Membership[];
  limits: TokenLimits | null;
  expiresAtMs: number;
}>;

export type AuthorizationRequest = Readonly<{
  verb: Verb;
  resource: Resource /** Its own right counts instead of the resource's. */;
  subresource?: Subresource;
  tenantId: string;
  tenantName: string;
}>;

export type Authorization =
  | Readonly<{ allowed: true; scope: TenantScope; role: Role | 'platform-admin'; onlyOwn: boolean }>
  | Readonly<{ allowed: false; visible: boolean; reason: string }>;

/**
 * Decides whether a principal may use a verb on a resource of one tenant, and is the only maker of a scope in the API.
 * Pure. `visible` is false when the caller is no member (and no platform admin with rights on the kind): such a caller must get the answer for "missing".
 */
export function authorize(principal: Principal, request: AuthorizationRequest): Authorization {
  const { verb, resource, subresource, tenantId } = request;
  const membership = principal.memberships.find((one) => one.tenantId === tenantId);
  const plural = subresource === undefined ? resource.plural : `${resource.plural}/${subresource.name}`;
  const access = subresource?.access ?? resource.access[verb];
  if (!withinLimits(principal.limits, plural, verb))
    return denied(membership !== undefined, `the token is not allowed to ${verb} ${plural}`);
  const actor: Actor = { name: principal.name, via: principal.via };
  if (membership !== undefined) {
    if (access === 'own') return granted(tenantId, actor, membership.role, membership.role !== 'admin');
    if (access !== 'never' && access !== 'platform' && ranks(membership.role, access))
      return granted(tenantId, actor, membership.role, false);
  }
  if (principal.platformAdmin && platformMay(resource, access, verb)) return granted(tenantId, actor, 'platform-admin', false);
  const visible = membership !== undefined || principal.platformAdmin;
  return denied(
    visible,
    membership === undefined ? 'not a member of this tenant' : `role ${membership.role} of tenant ${membership.tenantName} lacks ${verb}`,
  );
}

function platformMay(resource: Resource, access: Access, verb: Verb): boolean {
  if (resource.platform === 'full') return access !== 'never';
  return resource.platform === 'read' && (verb === 'get' || verb === 'list' || verb === 'watch');
}

function ranks(have: Role, need: Role): boolean {
  return roles.indexOf(have) >= roles.indexOf(need);
}

function withinLimits(limits: TokenLimits | null, plural: string, verb: Verb): boolean {
  if (limits === null) return true;
  const listed = Object.hasOwn(limits, plural) ? limits[plural] : limits['*'];
  return (listed ?? []).includes(verb);
}

function granted(tenantId: string, actor: Actor, role: Role | 'platform-admin', onlyOwn: boolean): Authorization {
  return { allowed: true, scope: newScope(tenantId, actor), role, onlyOwn };
}

function denied(visible: boolean, reason: string): Authorization {
  return { allowed: false, visible, reason };
}

/** A worker's scope from a job that passed `parseJob`. It only opens the transaction: row-level security shows the row only if it is that tenant's. */
export function scopeOfJob(job: Readonly<{ tenantId: string }>, worker: string): TenantScope {
  return newScope(job.tenantId, { name: worker, via: 'worker' });
}

/** The scope behind a directory row (webhook path, token hash): the tenant is the row's owner, never the caller's word. */
export function scopeOfOwner(row: Readonly<{ ownerTenantId: string }>, actor: Actor): TenantScope {
  return newScope(row.ownerTenantId, actor);
}

function newScope(tenantId: string, actor: Actor): TenantScope {
  if (!UUID.test(tenantId)) throw new Error('a tenant id is a UUID');
  return Object.freeze({ tenantId, actor: Object.freeze(actor) }) as TenantScope;
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The only maker of keys outside PostgreSQL that belong to one tenant (Redis, budgets). */
export function tenantKey(scope: TenantScope, ...parts: readonly string[]): string {
  return ['tenant', scope.tenantId, ...parts].join('/');
}

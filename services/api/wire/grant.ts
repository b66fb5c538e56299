import type { Directory } from '#adapters/postgres/directory.ts';
import type { Role } from '#core/resource.ts';
import type { Principal, TenantScope } from '#core/tenant.ts';
import { PLATFORM_NAMESPACE, PLATFORM_TENANT_ID } from '#core/tenant.ts';
import { type Asked } from '#services/api/auth/answers.ts';
import {
  decide,
  decideAcross,
  locate,
  type Part,
  type Place,
  type PlaceDirectory,
  type TenantNamespaces,
} from '#services/api/auth/visibility.ts';

/**
 * What the permission of a route came to.
 *
 * one     one tenant's place: a named object, or a collection in one namespace
 * across  a list or watch over all the caller's namespaces
 * shared  a member reads the platform's Clusters: only those granted to their tenants
 */
export type Grant =
  | Readonly<{ is: 'one'; scope: TenantScope; tenantName: string; role: Role | 'platform-admin'; onlyOwn: boolean }>
  | Readonly<{ is: 'across'; parts: readonly Part[] }>
  | Readonly<{ is: 'shared' }>;

/** Decides a request before anything is looked up; throws the answer of a refusal. */
export async function grantOf(directory: Directory, principal: Principal, asked: Asked): Promise<Grant> {
  if (isAcross(asked)) {
    const everything = principal.platformAdmin ? await everyTenant(directory) : [];
    const decision = decideAcross(principal, asked, everything);
    if (decision.is !== 'allowed') throw decision.error;
    return { is: 'across', parts: decision.parts };
  }
  const decision = decide(principal, await locate(placesOf(directory), principal, asked), asked);
  switch (decision.is) {
    case 'allowed':
      return { is: 'one', scope: decision.scope, tenantName: decision.tenantName, role: decision.role, onlyOwn: decision.onlyOwn };
    case 'sharedClusters':
      return { is: 'shared' };
    default:
      throw decision.error;
  }
}

/** Lists without a namespace, and every request on the collection of a cluster-scoped kind but the creation of a Tenant. */
function isAcross({ resource, namespace, name, verb }: Asked): boolean {
  if (verb === 'create') return resource.kind === 'Namespace';
  return name === null && namespace === '';
}

function placesOf(directory: Directory): PlaceDirectory {
  return {
    tenantOfNamespace: (name) => directory.tenantOfNamespace(name),
    async tenantByName(name): Promise<Place> {
      const found = await directory.tenantByName(name);
      return found === null ? null : { tenantId: found.tenantId, tenantName: found.name };
    },
  };
}

async function everyTenant(directory: Directory): Promise<readonly TenantNamespaces[]> {
  const tenants = await directory.tenants();
  const all: TenantNamespaces[] = [];
  for (const { tenantId, name } of tenants) {
    if (tenantId !== PLATFORM_TENANT_ID) all.push({ tenantId, tenantName: name, namespaces: await directory.namespacesOf(tenantId) });
  }
  all.push({ tenantId: PLATFORM_TENANT_ID, tenantName: PLATFORM_NAMESPACE, namespaces: [PLATFORM_NAMESPACE] });
  return all;
}

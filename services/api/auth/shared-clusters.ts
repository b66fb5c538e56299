import { listAccess } from '#adapters/postgres/cluster-access.ts';
import { listObjects } from '#adapters/postgres/objects.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import { conditionOf } from '#core/conditions.ts';
import type { StoredObject } from '#core/store.ts';
import { authorize, PLATFORM_NAMESPACE, PLATFORM_TENANT_ID, type Principal, scopeOfOwner, type TenantScope } from '#core/tenant.ts';
import { resource } from '#kinds/cluster/resource.ts';

/**
 * The platform's Clusters that were granted to tenants of the caller, as such a member may see them: without annotations and with nothing of the status but whether the
 * cluster is ready (design.md section 4). By name, in byte order. A cluster that was not granted looks missing. Reads the caller's tenants' access rows, then
 * the platform's Cluster objects by the ids in them.
 */
export async function sharedClusters(db: TenantDb, principal: Principal, name: string | null): Promise<readonly StoredObject[]> {
  const granted = await db.inTenants(readableScopes(principal), (_scope, tx) => listAccess(tx));
  const rows = granted.flat().filter((one) => one.ownerTenantId === PLATFORM_TENANT_ID && one.clusterNamespace === PLATFORM_NAMESPACE);
  const wanted = new Map(rows.filter((one) => name === null || one.clusterName === name).map((one) => [one.clusterId, one.clusterName]));
  if (wanted.size === 0) return [];
  const owner = scopeOfOwner({ ownerTenantId: PLATFORM_TENANT_ID }, { name: principal.name, via: principal.via });
  const query = { kind: resource.kind, namespaces: [PLATFORM_NAMESPACE], names: [...wanted.values()] };
  const clusters = await db.inTenant(owner, (tx) => listObjects(tx, query), { readOnly: true });
  return clusters.filter((one) => wanted.has(one.uid)).map(withoutDetail);
}

function readableScopes(principal: Principal): readonly TenantScope[] {
  return principal.memberships.flatMap(({ tenantId, tenantName }) => {
    const answer = authorize(principal, { verb: 'get', resource, tenantId, tenantName });
    return answer.allowed ? [answer.scope] : [];
  });
}

/** Messages, accounts and credential ages may name other tenants. Pure. */
function withoutDetail(cluster: StoredObject): StoredObject {
  const ready = conditionOf(cluster.status, 'Ready');
  const conditions =
    ready === null
      ? []
      : [{ type: 'Ready', status: ready.status, reason: ready.reason, message: '', lastTransitionTime: ready.lastTransitionTime }];
  return Object.freeze({
    ...cluster,
    annotations: {},
    managedFields: [],
    finalizers: [],
    ownerReferences: [],
    createdBy: '',
    status: { conditions },
  });
}

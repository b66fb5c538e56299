import { orphanedObjects } from '#adapters/postgres/namespace-content.ts';
import { scopeOfJob } from '#core/tenant.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { deleteEach } from '#services/api/maintenance/delete-each.ts';

const batch = 200;
const maxRounds = 10;

/** Deletes objects whose owners are all gone, and then theirs, in one namespace or (null) in all of the tenant (kube-api.md 5.6). Idempotent. */
export async function collectOrphans(
  deps: ApiDeps,
  tenant: Readonly<{ tenantId: string; name: string }>,
  namespace: string | null,
): Promise<void> {
  const scope = scopeOfJob(tenant, 'weir-maintenance');
  for (let round = 0; round < maxRounds; round += 1) {
    const orphans = await deps.db.inTenant(scope, (tx) => orphanedObjects(tx, namespace, batch), { readOnly: true });
    if (orphans.length === 0) return;
    await deleteEach(deps, tenant, orphans);
  }
}

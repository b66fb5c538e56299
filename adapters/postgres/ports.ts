import { selectsCluster, selectsDefinition } from '#core/placement.ts';
import type { HookDirectory, Places } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import { listAccess } from './cluster-access.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import { dropHook, putHook } from './directory.ts';
import type { TenantDb } from './tenant-db.ts';

/** The webhook path of one receiver. Idempotent. */
export function hookDirectory(db: TenantDb, scope: TenantScope, receiverUid: string): HookDirectory {
  return Object.freeze({
    register: (pathDigest: string | null) =>
      db.inTenant(scope, (tx) => (pathDigest === null ? dropHook(tx, receiverUid) : putHook(tx, { digest: pathDigest, receiverUid }))),
  });
}

/** What a Placement of the scope's tenant selects now: definitions of delivery kinds in its namespace, clusters within the grants. */
export function placesPort(db: TenantDb, scope: TenantScope): Places {
  const columns = objectColumns
    .split(',')
    .map((one) => `o.${one.trim()}`)
    .join(', ');
  return Object.freeze({
    selectedBy: (placement: StoredObject) =>
      db.inTenant(
        scope,
        async (tx) => {
          const [rows, access] = await Promise.all([
            tx.query(
              `select ${columns} from weir.work w join weir.objects o on o.tenant_id = w.tenant_id and o.uid = w.unit_id
                where w.tenant_id = $1 and w.namespace = $2 and w.fans_out`,
              [tx.tenantId, placement.namespace],
            ),
            listAccess(tx),
          ]);
          const clusters = access.filter((one) => selectsCluster(placement, one, access, placement.namespace));
          return {
            definitions: rows.map(objectOfRow).filter((one) => selectsDefinition(placement, one)).length,
            clusters: clusters.map((one) => `${one.clusterNamespace}/${one.clusterName}`),
          };
        },
        { readOnly: true, snapshot: true },
      ),
  });
}

import { textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/** An object by its key, without its content. */
export type ContentKey = Readonly<{ kind: string; namespace: string; name: string; uid: string }>;

/** Held shared by whoever creates something in a namespace, until the transaction ends: the namespace cannot go meanwhile. The key holds the tenant. */
export async function shareNamespace(tx: TenantTx, name: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [lockKey(tx, name)]);
}

/** Held alone by whoever lets an empty namespace go: nobody creates anything in it meanwhile. */
export async function holdNamespace(tx: TenantTx, name: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [lockKey(tx, name)]);
}

function lockKey(tx: TenantTx, name: string): string {
  return `weir namespace/${tx.tenantId}/${name}`;
}

/** Objects of any kind in a namespace of the tenant, at most `limit`, kinds in the order given first. */
export async function contentOfNamespace(
  tx: TenantTx,
  namespace: string,
  firstKinds: readonly string[],
  limit: number,
): Promise<readonly ContentKey[]> {
  const rows = await tx.query(
    `select kind, namespace, name, uid::text as uid from weir.objects
      where tenant_id = $1 and namespace = $2
      order by coalesce(array_position($3::text[], kind), 1000), kind, name limit $4`,
    [tx.tenantId, namespace, firstKinds, limit],
  );
  return rows.map(keyOf);
}

/**
 * Objects of the tenant that name owners, none of which is there any more; in one namespace, or in all when it is null. At most `limit`.
 * Owners stand in the same namespace or are cluster-scoped.
 */
export async function orphanedObjects(tx: TenantTx, namespace: string | null, limit: number): Promise<readonly ContentKey[]> {
  const rows = await tx.query(
    `select o.kind, o.namespace, o.name, o.uid::text as uid from weir.objects o
      where o.tenant_id = $1 and ($2::text is null or o.namespace = $2) and o.deleting_at is null
        and o.owner_references::text like '[{%'
        and not exists (
          select 1 from json_array_elements(o.owner_references) r
          join weir.objects p on p.tenant_id = o.tenant_id and p.uid::text = r ->> 'uid' and p.namespace in (o.namespace, ''))
      order by o.kind, o.name limit $3`,
    [tx.tenantId, namespace, limit],
  );
  return rows.map(keyOf);
}

function keyOf(row: Parameters<typeof textOf>[0]): ContentKey {
  return { kind: textOf(row, 'kind'), namespace: textOf(row, 'namespace'), name: textOf(row, 'name'), uid: textOf(row, 'uid') };
}

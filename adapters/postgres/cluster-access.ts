import { isObject, type Json } from '#core/json.ts';
import type { ClusterAccess } from '#core/store.ts';
import type { KeyRing } from './key-ring.ts';
import { booleanOf, bytesOf, jsonOf, numberOf, type Row, textListOf, textMapOf, textOf } from './rows.ts';
import { seal, unseal } from './sealing.ts';
import type { TenantTx } from './tenant-tx.ts';

/** The scope's access to a cluster, or null when it has none (any more). */
export async function accessOf(tx: TenantTx, clusterId: string): Promise<ClusterAccess | null> {
  const [row] = await tx.query('select * from weir.cluster_access where tenant_id = $1 and cluster_id = $2', [tx.tenantId, clusterId]);
  return row === undefined ? null : accessOfRow(row);
}

/** All clusters that the scope's tenant may use, by namespace and name. */
export async function listAccess(tx: TenantTx): Promise<readonly ClusterAccess[]> {
  return (
    await tx.query('select * from weir.cluster_access where tenant_id = $1 order by cluster_namespace, cluster_name', [tx.tenantId])
  ).map(accessOfRow);
}

/** Exact with a namespace; else the first of `lookIn` (the own namespace, then weir-system) that holds a cluster of this name. */
export async function clusterByName(
  tx: TenantTx,
  cluster: Readonly<{ namespace?: string; name: string; lookIn?: readonly string[] }>,
): Promise<ClusterAccess | null> {
  const namespaces = cluster.namespace === undefined ? (cluster.lookIn ?? []) : [cluster.namespace];
  const [row] = await tx.query(
    `select * from weir.cluster_access where tenant_id = $1 and cluster_name = $2 and cluster_namespace = any($3::text[])
      order by array_position($3::text[], cluster_namespace::text) limit 1`,
    [tx.tenantId, cluster.name, namespaces],
  );
  return row === undefined ? null : accessOfRow(row);
}

export function accessOfRow(row: Row): ClusterAccess {
  return {
    clusterId: textOf(row, 'cluster_id'),
    ownerTenantId: textOf(row, 'owner_tenant_id'),
    clusterNamespace: textOf(row, 'cluster_namespace'),
    clusterName: textOf(row, 'cluster_name'),
    server: textOf(row, 'server'),
    caBundle: textOf(row, 'ca_bundle'),
    labels: textMapOf(row, 'labels'),
    variables: textMapOf(row, 'variables'),
    paused: booleanOf(row, 'paused'),
    concurrency: numberOf(row, 'concurrency'),
    namespaces: textListOf(row, 'namespaces'),
    serviceAccount: { namespace: textOf(row, 'account_namespace'), name: textOf(row, 'account_name') },
    accounts: accountsOf(jsonOf(row, 'accounts')),
  };
}

function accountsOf(value: Json): ClusterAccess['accounts'] {
  if (!Array.isArray(value)) throw new Error('database: column accounts of cluster_access is no list');
  return value.map((one: Json) => {
    if (!isObject(one)) throw new Error('database: column accounts of cluster_access holds no account');
    return { namespace: textOf(one, 'namespace'), name: textOf(one, 'name') };
  });
}

export type CredentialTimes = Readonly<{ issuedAtMs: number; expiresAtMs: number }>;

/** Seals and stores the bootstrap token of a cluster that the scope's tenant owns, in place of the one before. */
export async function putCredential(tx: TenantTx, keys: KeyRing, clusterUid: string, token: string, times: CredentialTimes): Promise<void> {
  const sealed = await seal(tx, keys, 'cluster-credential', placeOf(clusterUid, times.issuedAtMs), Buffer.from(token, 'utf8'));
  await tx.run(
    `insert into weir.cluster_credentials (tenant_id, cluster_uid, sealed, sealed_version, issued_at, expires_at)
      values ($1, $2, $3, $4::bigint, to_timestamp($4::bigint / 1000.0), to_timestamp($5::bigint / 1000.0))
      on conflict (tenant_id, cluster_uid) do update
        set sealed = excluded.sealed, sealed_version = excluded.sealed_version, issued_at = excluded.issued_at, expires_at = excluded.expires_at`,
    [tx.tenantId, clusterUid, sealed, times.issuedAtMs, times.expiresAtMs],
  );
}

/** The bootstrap token, or null when none was posted. Throws AppError decryptFailed. */
export async function readCredential(
  tx: TenantTx,
  keys: KeyRing,
  clusterUid: string,
): Promise<Readonly<CredentialTimes & { token: string }> | null> {
  const [row] = await tx.query(
    'select sealed, sealed_version, issued_at, expires_at from weir.cluster_credentials where tenant_id = $1 and cluster_uid = $2',
    [tx.tenantId, clusterUid],
  );
  if (row === undefined) return null;
  const plain = await unseal(tx, keys, 'cluster-credential', placeOf(clusterUid, numberOf(row, 'sealed_version')), bytesOf(row, 'sealed'));
  return { token: Buffer.from(plain).toString('utf8'), issuedAtMs: numberOf(row, 'issued_at'), expiresAtMs: numberOf(row, 'expires_at') };
}

export async function dropCredential(tx: TenantTx, clusterUid: string): Promise<void> {
  await tx.run('delete from weir.cluster_credentials where tenant_id = $1 and cluster_uid = $2', [tx.tenantId, clusterUid]);
}

function placeOf(clusterUid: string, version: number) {
  return { table: 'cluster_credentials', row: clusterUid, column: 'sealed', version };
}

import { type Projected, projectAccess } from '#core/grant.ts';
import { canonicalJson, type Json, type JsonObject } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import { PLATFORM_NAMESPACE, PLATFORM_TENANT_ID } from '#core/tenant.ts';
import { accessOfRow } from './cluster-access.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import type { PlatformTx } from './platform-tx.ts';
import { type Row, textOf } from './rows.ts';
import { trigger, triggerFanOuts, type Woken } from './wakes.ts';

/** Clusters whose access rows one drain writes anew. */
const clustersPerDrain = 20;
/** Projections take turns: two schedulers must not write the rows of one cluster from different snapshots. */
const projectionLock = 7_201_003;

type ClusterKey = Readonly<{ tenantId: string; namespace: string; name: string }>;

/**
 * Clusters, grants and accounts that changed, and tenants that came or went: `cluster_access` of the affected clusters is written anew from what the
 * objects say now. Tenants whose rows changed compute their places again; deliveries on a cluster that changed for them are due.
 */
export async function relayGrants(tx: PlatformTx, limit: number): Promise<Woken> {
  const wanted = Math.min(limit, clustersPerDrain);
  const rows = await tx.query(
    `select id, tenant_id, what, namespace, name from weir.outbox where what in ('grants', 'tenant') order by id limit $1 for update skip locked`,
    [wanted],
  );
  if (rows.length === 0) return { taken: 0, triggered: 0, more: false };
  await tx.query('select pg_advisory_xact_lock($1)', [projectionLock]);
  const keys = new Map<string, ClusterKey>();
  for (const row of rows) for (const key of await keysOf(tx, row)) keys.set(`${key.tenantId}/${key.namespace}/${key.name}`, key);
  let triggered = 0;
  for (const key of keys.values()) triggered += await project(tx, key);
  await tx.run('delete from weir.outbox where id = any($1::bigint[])', [rows.map((row) => textOf(row, 'id'))]);
  return { taken: rows.length, triggered, more: rows.length === wanted };
}

/** Which clusters a row is about. An account names its cluster as a Placement does: the own namespace first, then weir-system; `namespace/name` is exact. */
async function keysOf(tx: PlatformTx, row: Row): Promise<readonly ClusterKey[]> {
  const [tenantId, namespace, name] = [textOf(row, 'tenant_id'), textOf(row, 'namespace'), textOf(row, 'name')];
  if (textOf(row, 'what') === 'tenant') return grantedTo(tx, tenantId, name);
  const [first = '', second] = name.split('/');
  const exact = second === undefined ? { namespace, name: first } : { namespace: first, name: second };
  const own = { tenantId, ...exact };
  const shared = { tenantId: PLATFORM_TENANT_ID, namespace: PLATFORM_NAMESPACE, name: exact.name };
  return second === undefined || exact.namespace === PLATFORM_NAMESPACE ? [own, shared] : [own];
}

/** Clusters whose grants name a tenant, and those it has rows for. */
async function grantedTo(tx: PlatformTx, tenantId: string, tenantName: string): Promise<readonly ClusterKey[]> {
  const rows = await tx.query(
    `select tenant_id, namespace, coalesce(body #>> '{spec,cluster}', name) as name from weir.objects
        where kind = 'ClusterGrant' and exists (
          select from json_array_elements(case json_typeof(body #> '{spec,tenants}') when 'array' then body #> '{spec,tenants}' else '[]' end) t
          where case json_typeof(t) when 'object' then t ->> 'tenant' end = $2)
      union select owner_tenant_id, cluster_namespace, cluster_name from weir.cluster_access where tenant_id = $1`,
    [tenantId, tenantName],
  );
  return rows.map((row) => ({ tenantId: textOf(row, 'tenant_id'), namespace: textOf(row, 'namespace'), name: textOf(row, 'name') }));
}

async function project(tx: PlatformTx, key: ClusterKey): Promise<number> {
  const [cluster] = await objectsOf(tx, `kind = 'Cluster' and tenant_id = $1 and namespace = $2 and name = $3`, [
    key.tenantId,
    key.namespace,
    key.name,
  ]);
  const held = await tx.query(
    'select * from weir.cluster_access where owner_tenant_id = $1 and cluster_namespace = $2 and cluster_name = $3',
    [key.tenantId, key.namespace, key.name],
  );
  const before = new Map(
    held.map((row) => [
      `${textOf(row, 'tenant_id')}/${textOf(row, 'cluster_id')}`,
      { tenantId: textOf(row, 'tenant_id'), access: accessOfRow(row) },
    ]),
  );
  const after = cluster === undefined ? [] : await accessNow(tx, cluster);
  const kept = new Set(after.map((one) => `${one.tenantId}/${one.access.clusterId}`));
  const dropped = [...before.values()].filter((one) => !kept.has(`${one.tenantId}/${one.access.clusterId}`));
  const changed = after.filter((one) => !same(before.get(`${one.tenantId}/${one.access.clusterId}`)?.access, one.access));
  for (const one of dropped)
    await tx.run('delete from weir.cluster_access where tenant_id = $1 and cluster_id = $2', [one.tenantId, one.access.clusterId]);
  for (const one of changed) await put(tx, one);
  const affected = [...dropped, ...changed];
  const fanOuts = await triggerFanOuts(
    tx,
    affected.map((one) => ({ tenantId: one.tenantId, namespace: null })),
  );
  return fanOuts + (await triggerOn(tx, affected));
}

async function accessNow(tx: PlatformTx, cluster: StoredObject): Promise<readonly Projected[]> {
  const grants = await objectsOf(tx, `kind = 'ClusterGrant' and tenant_id = $1 and namespace = $2`, [cluster.tenantId, cluster.namespace]);
  const rows = await tx.query('select name, tenant_id from weir.dir_tenants');
  const tenants = new Map(rows.map((row) => [textOf(row, 'name'), textOf(row, 'tenant_id')]));
  const accounts = await objectsOf(tx, `kind = 'ClusterAccount' and body #>> '{spec,cluster}' in ($1, $2)`, [
    cluster.name,
    `${cluster.namespace}/${cluster.name}`,
  ]);
  // An account that names the cluster without a namespace means its tenant's own one of that name, where there is one.
  const own = await objectsOf(tx, `kind = 'Cluster' and name = $1`, [cluster.name]);
  const meansOwn = (account: StoredObject): boolean =>
    own.some((one) => one.tenantId === account.tenantId && one.namespace === account.namespace && one.uid !== cluster.uid);
  const meant = accounts.filter(
    (one) =>
      account(one).includes('/') || cluster.namespace === one.namespace || (cluster.namespace === PLATFORM_NAMESPACE && !meansOwn(one)),
  );
  return projectAccess({ cluster, grants, accounts: meant, tenants });
}

function account(object: StoredObject): string {
  const spec = object.body['spec'];
  const named = typeof spec === 'object' && spec !== null && 'cluster' in spec ? spec.cluster : undefined;
  return typeof named === 'string' ? named : '';
}

async function objectsOf(tx: PlatformTx, where: string, values: readonly string[]): Promise<readonly StoredObject[]> {
  return (
    await tx.query(`select ${objectColumns} from weir.objects where ${where} and deleting_at is null order by namespace, name`, values)
  ).map(objectOfRow);
}

async function put(tx: PlatformTx, { tenantId, access }: Projected): Promise<void> {
  const json = (value: Json): string => canonicalJson(value);
  await tx.run(
    `insert into weir.cluster_access (tenant_id, cluster_id, owner_tenant_id, cluster_namespace, cluster_name, server, ca_bundle, labels, variables, paused,
        concurrency, namespaces, account_namespace, account_name, accounts)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
      on conflict (tenant_id, cluster_id) do update set server = excluded.server, ca_bundle = excluded.ca_bundle, labels = excluded.labels,
        variables = excluded.variables, paused = excluded.paused, concurrency = excluded.concurrency, namespaces = excluded.namespaces,
        account_namespace = excluded.account_namespace, account_name = excluded.account_name, accounts = excluded.accounts`,
    [
      tenantId,
      access.clusterId,
      access.ownerTenantId,
      access.clusterNamespace,
      access.clusterName,
      access.server,
      access.caBundle,
      json(access.labels),
      json(access.variables),
      access.paused,
      access.concurrency,
      json(access.namespaces),
      access.serviceAccount.namespace,
      access.serviceAccount.name,
      json(access.accounts.map((one): JsonObject => ({ ...one }))),
    ],
  );
}

async function triggerOn(tx: PlatformTx, affected: readonly Projected[]): Promise<number> {
  const rows = await tx.query(
    `select w.tenant_id, w.unit_id from unnest($1::uuid[], $2::uuid[]) a (tenant_id, cluster_id)
      join weir.work w on w.cluster_id = a.cluster_id and w.tenant_id = a.tenant_id`,
    [affected.map((one) => one.tenantId), affected.map((one) => one.access.clusterId)],
  );
  const units = rows.map((row) => ({ tenantId: textOf(row, 'tenant_id'), unitId: textOf(row, 'unit_id') }));
  await trigger(tx, units, 'cluster changed');
  return units.length;
}

function same(before: Projected['access'] | undefined, after: Projected['access']): boolean {
  const text = (value: Projected['access']): string =>
    canonicalJson({ ...value, serviceAccount: { ...value.serviceAccount }, accounts: value.accounts.map((one) => ({ ...one })) });
  return before !== undefined && text(before) === text(after);
}

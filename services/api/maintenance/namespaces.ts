import { appendAudit } from '#adapters/postgres/audit.ts';
import { dropNamespace } from '#adapters/postgres/directory.ts';
import { type ContentKey, contentOfNamespace, holdNamespace } from '#adapters/postgres/namespace-content.ts';
import { deleteObject, getObject, listObjects } from '#adapters/postgres/objects.ts';
import type { StoredObject } from '#core/store.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { resource } from '#kinds/namespace/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { deleteEach } from '#services/api/maintenance/delete-each.ts';
import { planeContext } from '#services/api/maintenance/plane-context.ts';
import { auditOfWrite } from '#services/api/write/audit.ts';
import { consequences } from '#services/api/write/work.ts';

type Tenant = Readonly<{ tenantId: string; name: string }>;

/**
 * Definitions go first, since their teardown of workload clusters needs accounts, secrets and clusters; each stage waits until the one before is gone.
 * Kinds that are not named go in the second stage. Deliveries are the runtime's to remove.
 */
const stages: readonly (readonly string[])[] = [
  ['Kustomization', 'HelmRelease'],
  ['Receiver', 'Placement', 'GitRepository', 'OCIRepository', 'Bucket', 'HelmRepository', 'HelmChart'],
  ['ClusterAccount', 'ClusterGrant', 'Cluster', 'AccessToken', 'ServiceAccount', 'Secret', 'ConfigMap', 'Event'],
];
const notDeletedHere: readonly string[] = ['Delivery'];
const batch = 200;

/**
 * One step towards the end of every terminating namespace of a tenant: deletes what is in it, in dependency order, and lets the empty one go.
 * Idempotent; run it often. Touches that tenant's rows only.
 */
export async function finishNamespaces(deps: ApiDeps, tenant: Tenant): Promise<void> {
  const scope = scopeOfJob(tenant, 'weir-maintenance');
  const all = await deps.db.inTenant(scope, (tx) => listObjects(tx, { kind: 'Namespace', namespaces: null }), { readOnly: true });
  for (const namespace of all) if (namespace.deletingAtMs !== null) await finishOne(deps, tenant, namespace);
}

async function finishOne(deps: ApiDeps, tenant: Tenant, namespace: StoredObject): Promise<void> {
  const scope = scopeOfJob(tenant, 'weir-maintenance');
  const order = stages.flat();
  for (let pass = 0; pass <= stages.length; pass += 1) {
    const content = await deps.db.inTenant(scope, (tx) => contentOfNamespace(tx, namespace.name, order, batch), { readOnly: true });
    if (content.length === 0) return letGo(deps, tenant, namespace);
    const stage = firstStage(content);
    if (stage.length === 0) return;
    await deleteEach(deps, tenant, stage);
  }
}

/** The objects of the earliest stage that still has any; empty when only the runtime's own objects are left. */
function firstStage(content: readonly ContentKey[]): readonly ContentKey[] {
  const deletable = content.filter((key) => !notDeletedHere.includes(key.kind));
  const least = Math.min(...deletable.map((key) => stageOf(key.kind)));
  return deletable.filter((key) => stageOf(key.kind) === least);
}

function stageOf(kind: string): number {
  const found = stages.findIndex((stage) => stage.includes(kind));
  return found === -1 ? 1 : found;
}

/** Removes an empty namespace with its directory row. Whoever creates something in it holds the shared lock, so nothing can slip in. */
async function letGo(deps: ApiDeps, tenant: Tenant, { name }: StoredObject): Promise<void> {
  const context = planeContext(deps, tenant, resource, '');
  await deps.db.inTenant(context.scope, async (tx) => {
    await holdNamespace(tx, name);
    const left = await contentOfNamespace(tx, name, [], 1);
    const before = await getObject(tx, { kind: 'Namespace', namespace: '', name });
    if (left.length > 0 || before === null || before.deletingAtMs === null || before.finalizers.length > 0) return;
    await appendAudit(tx, auditOfWrite(context, 'delete', before, before, null));
    await dropNamespace(tx, name);
    await deleteObject(tx, before, consequences(resource, before, null));
  });
}

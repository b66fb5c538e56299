import { randomUUID } from 'node:crypto';
import { DEFAULT_CLUSTER } from '#core/consequences.ts';
import { deliveryName } from '#core/delivery-name.ts';
import { choosePlaces } from '#core/placement.ts';
import type { Place } from '#core/reconcile/store.ts';
import type { Run, StoredObject } from '#core/store.ts';
import { listAccess } from './cluster-access.ts';
import { writeObjects } from './object-writes.ts';
import { getObject, listObjects, type NewObject, noConsequences, type ObjectWrite } from './objects.ts';
import { booleanOf, numberOf, onlyRow, textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';
import { fenceLost, holdFence } from './unit-claim.ts';
import { wakeScheduler } from './work-rows.ts';

/** How many deliveries one transaction creates: it holds the plane's version counter meanwhile. */
export const deliveriesPerStep = 100;

export async function places(tx: TenantTx, definition: StoredObject): Promise<Readonly<{ places: readonly Place[]; hint: string }>> {
  const [placements, access, namespace] = await Promise.all([
    listObjects(tx, { kind: 'Placement', namespaces: [definition.namespace] }),
    listAccess(tx),
    getObject(tx, { kind: 'Namespace', namespace: '', name: definition.namespace }),
  ]);
  // A Placement that is being deleted selects nothing any more.
  const living = placements.filter((one) => one.deletingAtMs === null);
  return choosePlaces({ definition, placements: living, access, defaultCluster: namespace?.annotations[DEFAULT_CLUSTER] ?? null });
}

type WorkRow = Readonly<{ unitId: string; clusterId: string; deselected: boolean }>;

/**
 * One step towards deliveries = places: at most `deliveriesPerStep` are created, all dropped ones are marked, and with `trigger` the others become due.
 * True when more are to be created. Locks the definition first, as its writers do, then its work rows in order: no deadlock with a change of spec.
 */
export async function fanOutStep(
  tx: TenantTx,
  run: Run,
  definition: StoredObject,
  wanted: readonly Place[],
  trigger: boolean,
): Promise<boolean> {
  const locked = await tx.query('select 1 from weir.objects where tenant_id = $1 and uid = $2 for update', [tx.tenantId, definition.uid]);
  if (locked.length !== 1) throw fenceLost();
  const known = await lockWork(tx, definition.uid);
  await holdFence(tx, run);
  const wantedIds = new Set(wanted.map((one) => one.clusterId));
  const knownIds = new Set(known.map((one) => one.clusterId));
  await deselect(
    tx,
    known.filter((one) => !one.deselected && !wantedIds.has(one.clusterId)),
  );
  const again = known.filter((one) => one.deselected && wantedIds.has(one.clusterId));
  await select(tx, trigger ? known.filter((one) => wantedIds.has(one.clusterId)) : again);
  const missing = wanted.filter((one) => !knownIds.has(one.clusterId));
  await create(tx, definition, missing.slice(0, deliveriesPerStep));
  return missing.length > deliveriesPerStep;
}

async function lockWork(tx: TenantTx, definitionId: string): Promise<readonly WorkRow[]> {
  const rows = await tx.query(
    'select unit_id, cluster_id, deselected from weir.work where tenant_id = $1 and definition_id = $2 order by unit_id for update',
    [tx.tenantId, definitionId],
  );
  return rows
    .filter((row) => row['cluster_id'] !== null)
    .map((row) => ({ unitId: textOf(row, 'unit_id'), clusterId: textOf(row, 'cluster_id'), deselected: booleanOf(row, 'deselected') }));
}

const due = `trigger_no = trigger_no + 1, due_at = least(due_at, clock_timestamp()), offered_until = null`;

/** A deselected delivery is finalized, not forgotten: older runs of it stop, and it is due now. */
async function deselect(tx: TenantTx, rows: readonly WorkRow[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map((one) => one.unitId);
  await tx.run(
    `update weir.work set deselected = true, fence = fence + 1, cause = 'deselected', ${due} where tenant_id = $1 and unit_id = any($2::uuid[])`,
    [tx.tenantId, ids],
  );
  await wakeScheduler(tx);
}

/** Chosen again while it was on its way out: a teardown under way stops. */
async function select(tx: TenantTx, rows: readonly WorkRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `update weir.work set fence = fence + (case when deselected then 1 else 0 end), deselected = false, cause = 'changed', ${due}
      where tenant_id = $1 and unit_id = any($2::uuid[])`,
    [tx.tenantId, rows.map((one) => one.unitId)],
  );
  await wakeScheduler(tx);
}

async function create(tx: TenantTx, definition: StoredObject, wanted: readonly Place[]): Promise<void> {
  if (wanted.length === 0) return;
  const createdAtMs = Math.floor(numberOf(onlyRow(await tx.query('select clock_timestamp() as now')), 'now') / 1000) * 1000;
  const plain = wanted.map((place) => nameFor(definition, place, false));
  const rows = await tx.query(
    `select name from weir.objects where tenant_id = $1 and kind = 'Delivery' and namespace = $2 and name = any($3::text[])`,
    [tx.tenantId, definition.namespace, plain],
  );
  const taken = new Set(rows.map((row) => textOf(row, 'name')));
  const writes: ObjectWrite[] = [];
  for (const place of wanted) {
    const name = nameFor(definition, place, taken.has(nameFor(definition, place, false)));
    taken.add(name);
    writes.push({ do: 'insert', object: { ...newDelivery(definition, place), name, createdAtMs }, consequences: noConsequences });
  }
  await newWork(tx, definition, wanted, writes);
  await writeObjects(tx, writes);
}

function nameFor(definition: StoredObject, place: Place, hashed: boolean): string {
  return deliveryName(
    { kind: definition.kind, definition: definition.name, clusterName: place.clusterName, clusterId: place.clusterId },
    hashed,
  );
}

/** Work rows of the new deliveries, one statement. */
async function newWork(tx: TenantTx, definition: StoredObject, wanted: readonly Place[], writes: readonly ObjectWrite[]): Promise<void> {
  const uids = writes.flatMap((one) => (one.do === 'insert' ? [one.object.uid] : []));
  await tx.run(
    `insert into weir.work (tenant_id, unit_id, kind, definition_id, cluster_id, namespace, fans_out, due_at, cause)
      select $1, d.unit_id, $4, $5, d.cluster_id, $6, false, clock_timestamp(), 'created' from unnest($2::uuid[], $3::uuid[]) d (unit_id, cluster_id)`,
    [tx.tenantId, uids, wanted.map((one) => one.clusterId), definition.kind, definition.uid, definition.namespace],
  );
  await wakeScheduler(tx);
}

function newDelivery(definition: StoredObject, place: Place): Omit<NewObject, 'name' | 'createdAtMs'> {
  return {
    kind: 'Delivery',
    uid: randomUUID(),
    namespace: definition.namespace,
    generation: 1,
    labels: {},
    annotations: {},
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: {
      spec: {
        definition: { kind: definition.kind, name: definition.name, uid: definition.uid },
        cluster: { namespace: place.clusterNamespace, name: place.clusterName, uid: place.clusterId },
      },
    },
    status: null,
    createdBy: 'weir',
    refs: [],
    unit: null,
  };
}

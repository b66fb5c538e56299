import { canonicalJson, type JsonObject } from '#core/json.ts';
import type { Commit } from '#core/reconcile/store.ts';
import type { Run, StoredObject } from '#core/store.ts';
import { recordArtifact } from './artifacts.ts';
import { objectColumns, objectOfRow } from './codec.ts';
import { eventWrite } from './events.ts';
import { addLedger } from './ledger.ts';
import { writeObjects } from './object-writes.ts';
import { noConsequences, type ObjectWrite } from './objects.ts';
import { addOutbox } from './outbox.ts';
import { booleanOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';
import { fenceLost, holdFence } from './unit-claim.ts';
import { deliveriesOf } from './unit-load.ts';
import { wakeScheduler } from './work-rows.ts';

/** Locks objects in uid order. A missing one means that somebody deleted it: the run is over. */
async function lockObjects(tx: TenantTx, uids: readonly string[]): Promise<ReadonlyMap<string, StoredObject>> {
  const rows = await tx.query(
    `select ${objectColumns} from weir.objects where tenant_id = $1 and uid = any($2::uuid[]) order by uid for update`,
    [tx.tenantId, uids],
  );
  return new Map(rows.map(objectOfRow).map((one) => [one.uid, one]));
}

/** Status in the middle of a run. Written only when it differs. */
export async function saveStatus(tx: TenantTx, run: Run, status: JsonObject): Promise<void> {
  const [objects] = await Promise.all([lockObjects(tx, [run.unitId]), holdFence(tx, run)]);
  const unit = objects.get(run.unitId);
  if (unit === undefined) throw fenceLost();
  await writeObjects(tx, statusWrites([[unit, status]]));
}

/**
 * Step 7 of the runtime, one transaction: status of the unit, folded status of the definition, event, ledger, artifact, outbox, due time. Locks in the
 * order objects, work, counter. A commit that changes no status writes no object.
 */
export async function commit(tx: TenantTx, run: Run, input: Commit): Promise<void> {
  const [objects] = await Promise.all([lockObjects(tx, [run.unitId, run.definitionId]), holdFence(tx, run)]);
  const unit = objects.get(run.unitId);
  const definition = objects.get(run.definitionId);
  if (unit === undefined || definition === undefined) throw fenceLost();
  const statuses = await statusesOf(tx, { unit, definition, input });
  const event = input.event === null ? [] : await eventWrite(tx, input.event);
  if (input.ledger !== null) await addLedger(tx, run, input.ledger);
  if (input.artifact !== null) await recordArtifact(tx, { ...input.artifact, sourceUid: run.definitionId });
  await addOutbox(tx, input.outbox);
  await giveBack(tx, run, input);
  await writeObjects(tx, [...statusWrites(statuses), ...event]);
}

type Status = readonly [StoredObject, JsonObject];

async function statusesOf(
  tx: TenantTx,
  { unit, definition, input }: Readonly<{ unit: StoredObject; definition: StoredObject; input: Commit }>,
): Promise<readonly Status[]> {
  if (input.fold === null) return [[unit, input.status]];
  const stored = await deliveriesOf(tx, definition.uid);
  const deliveries = stored.map((one) => (one.uid === unit.uid ? { ...one, status: input.status } : one));
  const folded: Status = [definition, input.fold(definition, deliveries)];
  return unit.uid === definition.uid ? [folded] : [[unit, input.status], folded];
}

function statusWrites(statuses: readonly Status[]): readonly ObjectWrite[] {
  return statuses
    .filter(([object, status]) => canonicalJson(object.status) !== canonicalJson(status))
    .map(([before, status]) => ({ do: 'update', before, after: { ...before, status }, consequences: noConsequences }));
}

/**
 * The lease ends and the next due time is set by the database clock, with up to 5 % and at most a minute of jitter so that equal intervals drift apart.
 * Due now when a trigger came since the claim.
 */
async function giveBack(tx: TenantTx, run: Run, input: Pick<Commit, 'dueInMs' | 'failures'>): Promise<void> {
  const rows = await tx.query(
    `update weir.work set lease_until = null, lease_fence = null, failures = $5, due_at = case
        when trigger_no > handled_no then clock_timestamp()
        else clock_timestamp() + ($4::float8 + least($4::float8 * 0.05, 60000) * random()) * interval '1 millisecond' end
      where tenant_id = $1 and unit_id = $2 and fence = $3 returning trigger_no > handled_no or $4::float8 = 0 as is_due`,
    [tx.tenantId, run.unitId, run.fence, input.dueInMs, input.failures],
  );
  const [row] = rows;
  if (row === undefined) throw fenceLost();
  if (row['is_due'] !== null && booleanOf(row, 'is_due')) await wakeScheduler(tx);
}

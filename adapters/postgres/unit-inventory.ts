import type { Inventory } from '#core/ports.ts';
import type { InventoryEntry, Run } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import { numberOrNull, type Row, textOf, textOrNull } from './rows.ts';
import type { TenantDb } from './tenant-db.ts';
import type { TenantTx } from './tenant-tx.ts';
import { holdFence } from './unit-claim.ts';

/** Inventory of one run's delivery (INV-5). Each write is one transaction that checks the fence first. */
export function inventoryOf(db: TenantDb, scope: TenantScope, run: Run): Inventory {
  const write = (statement: (tx: TenantTx) => Promise<unknown>): Promise<void> =>
    db.inTenant(scope, async (tx) => {
      await Promise.all([holdFence(tx, run), statement(tx)]);
    });
  return Object.freeze({
    fence: run.fence,
    load: () => db.inTenant(scope, (tx) => load(tx, run), { readOnly: true }),
    intend: (entries: Parameters<Inventory['intend']>[0]) => write((tx) => intend(tx, run, entries)),
    confirm: (entries: Parameters<Inventory['confirm']>[0]) => write((tx) => confirm(tx, run, entries)),
    forget: (ids: readonly string[]) =>
      write((tx) =>
        tx.run('delete from weir.inventories where tenant_id = $1 and unit_id = $2 and entry = any($3::text[])', [
          tx.tenantId,
          run.unitId,
          ids,
        ]),
      ),
    checkFence: () => db.inTenant(scope, (tx) => holdFence(tx, run)),
  });
}

async function load(tx: TenantTx, run: Run): Promise<readonly InventoryEntry[]> {
  const rows = await tx.query(
    'select entry, version, state, uid, applied_digest, generation, resource_version from weir.inventories where tenant_id = $1 and unit_id = $2 order by entry',
    [tx.tenantId, run.unitId],
  );
  return rows.map(entryOf);
}

/** Entries that are not there yet; those that are keep what was confirmed, with the version that is wanted now. */
async function intend(tx: TenantTx, run: Run, entries: Parameters<Inventory['intend']>[0]): Promise<void> {
  await tx.run(
    `insert into weir.inventories as i (tenant_id, unit_id, entry, version, state)
      select $1, $2, e.id, e.version, 'intent' from unnest($3::text[], $4::text[]) e (id, version)
      on conflict (tenant_id, unit_id, entry) do update set version = excluded.version where i.version <> excluded.version`,
    [tx.tenantId, run.unitId, entries.map((one) => one.id), entries.map((one) => one.version)],
  );
}

async function confirm(tx: TenantTx, run: Run, entries: Parameters<Inventory['confirm']>[0]): Promise<void> {
  await tx.run(
    `insert into weir.inventories (tenant_id, unit_id, entry, version, state, uid, applied_digest, generation, resource_version)
      select $1, $2, e.id, e.version, 'applied', e.uid, e.digest, e.generation, e.resource_version
      from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[]) e (id, version, uid, digest, generation, resource_version)
      on conflict (tenant_id, unit_id, entry) do update set version = excluded.version, state = 'applied', uid = excluded.uid,
        applied_digest = excluded.applied_digest, generation = excluded.generation, resource_version = excluded.resource_version`,
    [
      tx.tenantId,
      run.unitId,
      entries.map((one) => one.id),
      entries.map((one) => one.version),
      entries.map((one) => one.uid),
      entries.map((one) => one.appliedDigest),
      entries.map((one) => one.generation),
      entries.map((one) => one.resourceVersion),
    ],
  );
}

function entryOf(row: Row): InventoryEntry {
  const state = textOf(row, 'state');
  if (state !== 'intent' && state !== 'applied' && state !== 'deleting')
    throw new Error('database: column state of inventories holds no state');
  return {
    id: textOf(row, 'entry'),
    version: textOf(row, 'version'),
    state,
    uid: textOrNull(row, 'uid'),
    appliedDigest: textOrNull(row, 'applied_digest'),
    generation: numberOrNull(row, 'generation'),
    resourceVersion: textOrNull(row, 'resource_version'),
  };
}

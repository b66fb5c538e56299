import type { Job } from '#core/job.ts';
import type { JsonObject } from '#core/json.ts';
import type { Commit, Place, UnitStore } from '#core/reconcile/store.ts';
import type { Run, StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { TenantDb } from './tenant-db.ts';
import { claim, release, renew } from './unit-claim.ts';
import { commit, saveStatus } from './unit-commit.ts';
import { dropDefinition, dropDelivery } from './unit-drop.ts';
import { fanOutStep, places } from './unit-fan-out.ts';
import { inventoryOf } from './unit-inventory.ts';
import { deliveriesOf, load } from './unit-load.ts';
import { lookupOf } from './unit-lookup.ts';
import { triggerUnit } from './work-rows.ts';

/** The runtime's port on PostgreSQL. Every method is one transaction of the scope's tenant (fanOut: one per hundred new deliveries). */
export function openUnitStore(db: TenantDb): UnitStore {
  return Object.freeze({
    claim: async (scope: TenantScope, job: Job, leaseMs: number) =>
      job.tenantId === scope.tenantId ? db.inTenant(scope, (tx) => claim(tx, job, leaseMs)) : null,
    renew: (scope: TenantScope, run: Run, leaseMs: number) => db.inTenant(scope, (tx) => renew(tx, run, leaseMs)),
    load: (scope: TenantScope, run: Run) => db.inTenant(scope, (tx) => load(tx, run)),
    saveStatus: (scope: TenantScope, run: Run, status: JsonObject) => db.inTenant(scope, (tx) => saveStatus(tx, run, status)),
    commit: (scope: TenantScope, run: Run, input: Commit) => db.inTenant(scope, (tx) => commit(tx, run, input)),
    release: (scope: TenantScope, run: Run, dueInMs: number) => db.inTenant(scope, (tx) => release(tx, run, dueInMs)),
    dropDelivery: (scope: TenantScope, run: Run) => db.inTenant(scope, (tx) => dropDelivery(tx, run)),
    dropDefinition: (scope: TenantScope, run: Run, finalizer: string) => db.inTenant(scope, (tx) => dropDefinition(tx, run, finalizer)),
    places: (scope: TenantScope, definition: StoredObject) =>
      db.inTenant(scope, (tx) => places(tx, definition), { readOnly: true, snapshot: true }),
    fanOut: async (
      scope: TenantScope,
      run: Run,
      definition: StoredObject,
      wanted: readonly Place[],
      reason: Readonly<{ trigger: boolean }>,
    ) => {
      let more = await db.inTenant(scope, (tx) => fanOutStep(tx, run, definition, wanted, reason.trigger));
      while (more) more = await db.inTenant(scope, (tx) => fanOutStep(tx, run, definition, wanted, false));
      return db.inTenant(scope, (tx) => deliveriesOf(tx, definition.uid), { readOnly: true });
    },
    trigger: (scope: TenantScope, unitId: string, cause: string) => db.inTenant(scope, (tx) => triggerUnit(tx, unitId, cause)),
    lookup: (scope: TenantScope, clusterId: string | null) => lookupOf(db, scope, clusterId),
    inventory: (scope: TenantScope, run: Run) => inventoryOf(db, scope, run),
  });
}

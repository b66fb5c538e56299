import type { Job } from '../job.ts';
import type { JsonObject } from '../json.ts';
import type { ExtraCondition, Outcome } from '../outcome.ts';
import type { Inventory, Lookup } from '../ports.ts';
import type { ClusterAccess, EventEntry, LedgerEntry, OutboxEntry, Run, StoredObject } from '../store.ts';
import type { TenantScope } from '../tenant.ts';

/** A unit as loaded at the start of a run. `delivery` is null when the unit is a definition. */
export type LoadedUnit = Readonly<{
  definition: StoredObject;
  delivery: StoredObject | null;
  /** The delivery's cluster is no longer selected: finalize. */
  deselected: boolean;
  /** Access of this tenant to the delivery's cluster; null when it was withdrawn, or for a private cluster. */
  access: ClusterAccess | null;
  /** Name of the tenant (for the default account and messages). */
  tenantName: string;
}>;

/** A place where a definition of a delivery kind runs. */
export type Place = Readonly<{ clusterId: string; clusterNamespace: string; clusterName: string }>;

/** What step 7 of the runtime writes in one transaction. Nothing in it is tenant-sized. */
export type Commit = Readonly<{
  /** Whole new status of the unit's object. Written only when it differs (a write that changes nothing keeps the number). */
  status: JsonObject;
  /**
   * When given, the definition's status is computed from all its deliveries inside the transaction, under the definition's row lock.
   * For the run of a definition itself `status` is then not used; for a delivery's run `status` is the delivery's own.
   */
  fold: ((definition: StoredObject, deliveries: readonly StoredObject[]) => JsonObject) | null;
  event: EventEntry | null;
  ledger: LedgerEntry | null;
  /** Next run in ms by the database clock; null: only when triggered. When `trigger_no` moved since the claim, the unit is due now whatever this says. */
  dueInMs: number | null;
  failures: number;
  outbox: readonly OutboxEntry[];
  /** A source's new artifact for the tenant's artifact rows. */
  artifact: Readonly<{ digest: string; revision: string; sizeBytes: number }> | null;
}>;

/**
 * What the runtime needs of PostgreSQL. Every write checks the run's fence in its own transaction and throws AppError fenceLost when a newer run,
 * a changed spec, a suspend or a delete owns the unit.
 */
export interface UnitStore {
  /**
   * One statement, by the database clock: due and not leased → fence + 1, lease, handled number. Null when the unit does not exist for this tenant,
   * is not due, or is leased. `leaseMs` as configured.
   */
  claim(scope: TenantScope, job: Job, leaseMs: number): Promise<Run | null>;
  /** Prolongs the lease; false when the fence moved. */
  renew(scope: TenantScope, run: Run, leaseMs: number): Promise<boolean>;
  /** The unit's rows, or null when the definition is gone (its work rows are removed then). */
  load(scope: TenantScope, run: Run): Promise<LoadedUnit | null>;
  /** Status in the middle of a run (Reconciling, partial results). */
  saveStatus(scope: TenantScope, run: Run, status: JsonObject): Promise<void>;
  commit(scope: TenantScope, run: Run, commit: Commit): Promise<void>;
  /** Gives the unit back unfinished: due again after `dueInMs`; the lease ends. */
  release(scope: TenantScope, run: Run, dueInMs: number): Promise<void>;
  /** Removes the delivery object, its inventory and work row (after finalize was `ready`), and folds the definition again. When it was the last one of a deleting definition, that one is triggered. */
  dropDelivery(scope: TenantScope, run: Run): Promise<void>;
  /** Removes our finalizer from the deleting definition; without others the object and its work row go. False when deliveries are still there. */
  dropDefinition(scope: TenantScope, run: Run, finalizer: string): Promise<boolean>;
  /** Where a definition runs: `spec.kubeConfig` is handled by the caller. Placements that select it within the tenant's cluster access, else the namespace's default cluster, else empty. */
  places(scope: TenantScope, definition: StoredObject): Promise<Readonly<{ places: readonly Place[]; hint: string }>>;
  /**
   * Makes the delivery rows of a definition equal to `places`: missing ones are created (due now), dropped ones marked deselected (due now), changed definitions trigger all.
   * Returns the deliveries after that.
   */
  fanOut(
    scope: TenantScope,
    run: Run,
    definition: StoredObject,
    places: readonly Place[],
    reason: Readonly<{ trigger: boolean }>,
  ): Promise<readonly StoredObject[]>;
  /** A unit is due now: `trigger_no + 1`. Used for watch events. Idempotent, never touches a lease. */
  trigger(scope: TenantScope, unitId: string, cause: string): Promise<void>;
  lookup(scope: TenantScope, clusterId: string | null): Lookup;
  inventory(scope: TenantScope, run: Run): Inventory;
}

/** What conditions a status holds, for code that only needs them. */
export type Judgement = Readonly<{ outcome: Outcome; conditions: readonly ExtraCondition[] }>;

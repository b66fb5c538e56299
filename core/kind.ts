import type { Static, TSchema } from 'typebox';
import type { Failpoints } from './failpoints.ts';
import type { Log } from './log.ts';
import type { ExtraCondition, Outcome } from './outcome.ts';
import type { Capabilities, Need } from './ports.ts';
import type { Resource } from './resource.ts';
import type { ObjectResult, Ref, StoredObject } from './store.ts';
import type { TenantScope } from './tenant.ts';

/**
 * The kind contract: look, decide, do one thing, look again (conventions.md section 2).
 *
 * definition  one stored object of a kind
 * delivery    one definition on one cluster, with its own status, inventory, due time and fence
 * unit        what one job reconciles: a definition or a delivery
 */
export type Unit = 'definition' | 'delivery';
export type Worker = 'source' | 'kustomize' | 'helm' | 'image' | 'notification' | 'fleet';

/** A unit as a kind sees it: the definition's metadata, its parsed spec, and the status of the unit (of the Delivery for a delivery). */
export type Obj<U extends Unit, S extends TSchema, T extends TSchema> = Readonly<{
  definition: StoredObject;
  spec: Static<S>;
  status: Static<T> | null;
  /** What `act` has already done in this pass: each `do` happens at most once. */
  done: readonly string[];
}> &
  (U extends 'delivery' ? Readonly<{ clusterId: string; deliveryId: string }> : unknown);

export type Ctx<N extends Need> = Pick<Capabilities, N> &
  Readonly<{
    scope: TenantScope;
    signal: AbortSignal;
    log: Log;
    failpoints: Failpoints;
    nowMs(): number /** Adds per-object results to this run's ledger entry. */;
    record(results: readonly ObjectResult[]): void;
  }>;

/** What a pass shows besides the outcome. `status` is merged over the unit's status; `conditions` are set beside Ready. */
export type Shown<T extends TSchema> = Readonly<{
  status?: Partial<Static<T>>;
  /** Keys of the status that an outcome takes away; the merge alone keeps what was there. */
  without?: readonly string[];
  conditions?: readonly ExtraCondition[];
  /** Revisions for status, ledger and events. */
  revision?: string;
  originRevision?: string;
  artifactDigest?: string;
  renderDigest?: string;
}>;

/** An outcome with what to show beside it. */
export type Judged<T extends TSchema> = Outcome & Readonly<{ shown?: Shown<T> }>;

export interface Kind<U extends Unit, S extends TSchema, T extends TSchema, N extends Need, Seen, Act extends { do: string }> {
  readonly resource: Resource;
  readonly unit: U;
  readonly worker: Worker;
  readonly spec: S;
  readonly status: T;
  readonly needs: readonly (U extends 'delivery' ? N : Exclude<N, 'cluster' | 'inventory'>)[];
  /** Pointers whose change wakes this one; namespaces are filled in. `name` is the definition's own. */
  refs(spec: Static<S>, namespace: string, name: string): readonly Ref[];
  /** Interval between runs when nothing happens, in ms; null for a kind that is only woken. */
  intervalMs(spec: Static<S>): number | null;
  /** True for `spec.suspend`. */
  suspended(spec: Static<S>): boolean;
  /** Time limit of one pass in ms. */
  timeoutMs(spec: Static<S>): number;
  /** Reads only. */
  observe(ctx: Ctx<N>, obj: Obj<U, S, T>): Promise<Seen>;
  /** Pure: no I/O, no clock, no chance. */
  decide(obj: Obj<U, S, T>, seen: Seen, nowMs: number): Act | Judged<T>;
  /** One idempotent side effect; what it returns is shown and saved at once. */
  act(ctx: Ctx<N>, obj: Obj<U, S, T>, action: Act): Promise<Shown<T>>;
  /** On delete, or when a cluster is deselected. `ready` lets the object (or the delivery) go. */
  finalize(ctx: Ctx<N>, obj: Obj<U, S, T>, why: 'deleted' | 'deselected'): Promise<Judged<T>>;
}

/** Keeps the type parameters of a kind; freezes it. */
export function defineKind<U extends Unit, S extends TSchema, T extends TSchema, N extends Need, Seen, Act extends { do: string }>(
  kind: Kind<U, S, T, N, Seen, Act>,
): Kind<U, S, T, N, Seen, Act> {
  return Object.freeze(kind);
}

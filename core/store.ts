import type { Json, JsonObject } from './json.ts';

/**
 * Shapes of what PostgreSQL holds, shared by the API, the runtime and the adapter. Plain data; the tables are in
 * `adapters/postgres/migrations`.
 */

export type OwnerReference = Readonly<{
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}>;

/** One object of a kind. `body` holds every top-level field besides apiVersion, kind, metadata and status. Secret values are never in it: they are sealed. */
export type StoredObject = Readonly<{
  tenantId: string;
  kind: string;
  uid: string;
  /** '' for cluster-scoped kinds. */
  namespace: string;
  name: string;
  generation: number;
  /** Decimal text of the plane-wide version number of the last change. */
  resourceVersion: string;
  createdAtMs: number;
  deletingAtMs: number | null;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  finalizers: readonly string[];
  ownerReferences: readonly OwnerReference[];
  managedFields: readonly JsonObject[];
  body: JsonObject;
  status: JsonObject | null;
  /** Names of the keys of the sealed map (Secret `data`), so that lists can show their count without opening it. */
  sealedKeys: readonly string[];
  /** Principal key `issuer|subject` of who made it (rule `own`). */
  createdBy: string;
}>;

export type ObjectKey = Readonly<{ kind: string; namespace: string; name: string }>;

/** Stands in a Ref for every object of the kind in the namespace; no object can have this name. */
export const EVERY_NAME = '*';

/** A pointer from one object to another whose change wakes it. */
export type Ref = Readonly<{
  kind: string;
  namespace: string;
  name: string /** `artifact`: wakes on a new artifact; `ready`: when it became ready; `change`: on any change of its content. */;
  on: 'artifact' | 'ready' | 'change';
}>;

/** What a write means for the work table, decided by `core/consequences.ts`. */
export type Consequences = Readonly<{
  /** A changed spec, suspend or delete: an older run must stop at its next step. */
  raiseFence: boolean;
  /** The unit itself is due now. */
  trigger: boolean;
  /** Why, as the ledger of the run shows it. Absent: `changed`. */
  cause?: string;
  /** Rows for the relay: who refers to this object is woken, places are computed again, grants are projected. */
  outbox: readonly OutboxEntry[];
}>;

export type OutboxEntry =
  | Readonly<{ what: 'wake'; kind: string; namespace: string; name: string; on: 'artifact' | 'ready' | 'change' }>
  /** Every definition of a delivery kind in this namespace computes its places again. */
  | Readonly<{ what: 'places'; namespace: string }>
  /** A Cluster or ClusterGrant of the tenant changed: `cluster_access` of the named tenants is written anew. */
  | Readonly<{ what: 'grants'; clusterNamespace: string; clusterName: string }>;

/** One entry of the change log: what a watch sends. `before` is null for an ADDED object; labels and fields of it decide ADDED/DELETED under a selector. */
export type Change = Readonly<{
  resourceVersion: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: StoredObject;
  before: StoredObject | null;
}>;

/** A cluster that one tenant may use, projected from Cluster and ClusterGrant into that tenant's own rows. No credential in it. */
export type ClusterAccess = Readonly<{
  clusterId: string;
  /** Tenant that owns the Cluster object; its bootstrap credential is read under that scope. */
  ownerTenantId: string;
  clusterNamespace: string;
  clusterName: string;
  server: string;
  caBundle: string;
  labels: Readonly<Record<string, string>>;
  variables: Readonly<Record<string, string>>;
  paused: boolean;
  concurrency: number;
  /** Namespaces of the workload cluster in which this tenant may work. */
  namespaces: readonly string[];
  /** The tenant's default account there. */
  serviceAccount: Readonly<{ namespace: string; name: string }>;
  /** Further accounts registered by ClusterAccount objects and approved by the grant. */
  accounts: readonly Readonly<{ namespace: string; name: string }>[];
}>;

/** The claim of one unit (definition or delivery) by one run. */
export type Run = Readonly<{
  tenantId: string;
  kind: string;
  /** uid of the definition. */
  definitionId: string;
  clusterId: string | null;
  /** uid of the object whose status the run writes: the definition, or its Delivery. */
  unitId: string;
  fence: number;
  /** The trigger number this run answers. */
  triggerNo: number;
  failures: number;
  /** Database clock at the claim. */
  claimedAtMs: number;
  cause: string;
}>;

/** One object in a delivery's inventory. `id` is Flux's `<namespace>_<name>_<group>_<kind>`, `version` the API version's version part. */
export type InventoryEntry = Readonly<{
  id: string;
  version: string;
  /** intent: written before the first apply; applied: the API server confirmed; deleting: a delete was sent. */
  state: 'intent' | 'applied' | 'deleting';
  uid: string | null;
  /** Digest of the manifest that was last applied (without the fence annotation), or null while unknown. */
  appliedDigest: string | null;
  generation: number | null;
  resourceVersion: string | null;
}>;

/** One object's result in a ledger entry. */
export type ObjectResult = Readonly<{
  id: string;
  action: 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped' | 'failed' | 'unknown';
  message?: string;
}>;

/** One delivery attempt, append-only. */
export type LedgerEntry = Readonly<{
  cause: string;
  actor: string;
  revision: string | null;
  originRevision: string | null;
  artifactDigest: string | null;
  renderDigest: string | null;
  outcome: string;
  reason: string;
  message: string;
  objects: readonly ObjectResult[];
  durationMs: number;
}>;

/** An event about an object of a tenant (core/v1 Event in the API). */
export type EventEntry = Readonly<{
  kind: string;
  apiVersion: string;
  namespace: string;
  name: string;
  uid: string;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  annotations: Readonly<Record<string, string>>;
}>;

/** An audit entry before it is chained. `before` and `after` are digests, never content. */
export type AuditEntry = Readonly<{
  actor: string;
  via: string;
  verb: string;
  kind: string;
  namespace: string;
  name: string;
  requestId: string;
  beforeDigest: string | null;
  afterDigest: string | null;
  detail: Json;
}>;

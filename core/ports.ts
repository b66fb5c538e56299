import type { Bucket, LooseFile } from './bucket.ts';
import type { Charts } from './charts.ts';
import type { Compose } from './compose.ts';
import type { GitWriter } from './git-writer.ts';
import type { Helm } from './helm.ts';
import type { Setters } from './image/setters.ts';
import type { ImageTags } from './image/tags.ts';
import type { JsonObject } from './json.ts';
import type { PatternMatch } from './patterns.ts';
import type { PullRequests } from './pull-requests.ts';
import type { Registry } from './registry.ts';
import type { Sigstore } from './sigstore.ts';
import type { InventoryEntry, ObjectKey, ObjectResult, StoredObject } from './store.ts';

/**
 * The outside as kinds see it. Every call takes an AbortSignal, and every answer is bounded. A kind gets exactly the ports
 * named in its `needs`, already bound to its tenant (and to the delivery's cluster and account).
 */

// ── objects of the same tenant ───────────────────────────────────────────────────────────────────────────────────────

export interface Lookup {
  /** The object, or null. Row-level security makes a foreign object look missing. */
  get(key: ObjectKey): Promise<StoredObject | null>;
  list(kind: string, namespace: string): Promise<readonly StoredObject[]>;
  /** Names of the plane's namespaces that belong to this tenant. */
  namespaces(): Promise<readonly string[]>;
  /** The Delivery of a definition on this run's cluster, or null when it is not delivered there. */
  deliveryOf(definition: ObjectKey): Promise<StoredObject | null>;
}

export interface Secrets {
  /** Opened values of a Secret, or null when it does not exist. Never log, store or quote them. */
  read(namespace: string, name: string): Promise<Readonly<Record<string, Uint8Array>> | null>;
}

// ── git ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

export type GitCredential =
  | Readonly<{ is: 'none' }>
  | Readonly<{ is: 'basic'; username: string; password: string }>
  | Readonly<{ is: 'bearer'; token: string }>;
export type GitRemote = Readonly<{
  url: string;
  credential: GitCredential /** PEM, for a server with a private CA. */;
  caPem: string | null;
}>;
/** One line of `git ls-remote`: `refs/heads/main`, `refs/tags/v1` (already peeled to its commit), or `HEAD`. */
export type GitRef = Readonly<{ name: string; commit: string }>;

export interface Git {
  /** One `ls-remote` with this tenant's credential. Throws AppError gitFailed, gitAuthFailed, egressDenied. */
  look(remote: GitRemote, limits: Readonly<{ timeoutMs: number }>, signal: AbortSignal): Promise<readonly GitRef[]>;
  /**
   * The tree of a commit as an uncompressed tar file in a temporary place. Fetches into the shared mirror of the URL (single flight) and refuses
   * a commit that is not reachable from `advertised` (design.md section 3). The caller disposes.
   */
  snapshot(
    remote: GitRemote,
    want: Readonly<{
      commit: string;
      advertised: readonly GitRef[] /** Only commits on this ref count, when given. */;
      within: string | null;
    }>,
    limits: Readonly<{ timeoutMs: number; maxBytes: number }>,
    signal: AbortSignal,
  ): Promise<Readonly<{ tarPath: string; dispose(): Promise<void> }>>;
}

// ── artifacts ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Content of a source at a revision, addressed by digest (`sha256:<hex>` of the gzip tarball, which is the same for the same content). */
export type Artifact = Readonly<{ digest: string; sizeBytes: number; fileCount: number }>;

export interface Artifacts {
  /** Packs a tar (regular files and folders only; links are refused) without what the ignore rules name. Idempotent: same content, same digest. */
  put(
    input: Readonly<{ tarPath: string; ignore: string | null; maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
  ): Promise<Artifact>;
  /** Packs files that came one by one; no ignore rules apply. Throws AppError badRequest for a path that is none (threats D4). Idempotent as `put`. */
  putFiles(input: Readonly<{ files: readonly LooseFile[]; maxBytes: number; maxEntries: number }>, signal: AbortSignal): Promise<Artifact>;
  /**
   * Packs a gzip tar that somebody else wrote (a layer of an OCI artifact) as `put` does; symbolic links are left out. `maxDecodedBytes` counts everything that is
   * read, the other limits what the rules leave. Throws AppError badRequest for what is no such archive or holds a hostile entry (threats D1, D2), artifactTooLarge. Idempotent.
   */
  putLayer(
    input: Readonly<{ path: string; ignore: string | null; maxDecodedBytes: number; maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
  ): Promise<Artifact>;
  /** Keeps such an archive byte by byte, so that its digest stays, once every entry of it was read and found harmless; no ignore rules apply. Throws as `putLayer`. Idempotent. */
  keepLayer(
    input: Readonly<{ path: string; maxDecodedBytes: number; maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
  ): Promise<Artifact>;
  has(digest: string): Promise<boolean>;
}

// ── regular expressions of tenants ───────────────────────────────────────────────────────────────────────────────────

/** Go's syntax (RE2), in time that is linear in the text: what backtracks is never used for a tenant's pattern. */
export interface Patterns {
  /** A test whether (and, for `find`, where first) the pattern is found anywhere in a text, or why it is none. Patterns of more than 1,024 characters are none. */
  compile(
    pattern: string,
  ):
    | Readonly<{ is: 'pattern'; isIn(text: string): boolean; find(text: string): PatternMatch | null }>
    | Readonly<{ is: 'invalid'; message: string }>;
}

// ── rendering ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A Kubernetes object as it will be sent: apiVersion, kind and metadata.name are there. */
export type Manifest = JsonObject;

/** What of a Kustomization's spec reaches the build (definitions.md 3.2 step 2). */
export type BuildSpec = Readonly<{
  targetNamespace: string | null;
  namePrefix: string | null;
  nameSuffix: string | null;
  patches: readonly JsonObject[];
  images: readonly JsonObject[];
  components: readonly string[];
  ignoreMissingComponents: boolean;
  buildMetadata: readonly string[] | null;
  commonLabels: Readonly<Record<string, string>>;
  commonAnnotations: Readonly<Record<string, string>>;
}>;

/** Variables for substitution, or null for none at all. `always`: run the step even when no variable exists (substituteStrategy). */
export type Substitution = Readonly<{ variables: Readonly<Record<string, string>>; always: boolean }>;

export type Rendered = Readonly<{
  /** `sha256:<hex>` of the canonical list of objects; from the port of a run keyed with the tenant's own key, since substituted values may be secret. */
  digest: string;
  /** Digest of everything that was read: files, tool version, parameters, variables that were really used. Keyed in the same way. */
  inputDigest: string;
  objects: readonly Manifest[];
  /** True when nothing had to run. */
  cached: boolean;
}>;

export interface Render {
  /**
   * Builds the objects of a path of an artifact in the sandbox and substitutes variables. Throws AppError buildFailed (message names file and reason,
   * never a value), sandboxUnavailable, notFound when `path` is not in the artifact.
   */
  render(
    input: Readonly<{ artifactDigest: string; path: string; build: BuildSpec; substitution: Substitution }>,
    limits: Readonly<{ timeoutMs: number }>,
    signal: AbortSignal,
  ): Promise<Rendered>;
}

// ── a workload cluster, as one tenant account ────────────────────────────────────────────────────────────────────────

export type ObjectRef = Readonly<{ apiVersion: string; kind: string; namespace: string; name: string }>;

export type ApplyItem = Readonly<{
  id: string;
  ref: ObjectRef;
  manifest: Manifest;
  /** Recreate when an immutable field changed. */
  recreate: boolean;
  /** Override: desired state wins. Merge: keep others' fields. IfNotPresent: create only. */
  mode: 'Override' | 'Merge' | 'IfNotPresent';
}>;

export type Applied = Readonly<{
  id: string;
  action: ObjectResult['action'];
  uid: string | null;
  generation: number | null;
  resourceVersion: string | null;
  message?: string /** True when the answer was cut or late: neither success nor failure. */;
  unknown?: boolean;
}>;

/** Metadata of a live object as the watch cache or a metadata request shows it. */
export type LiveMeta = Readonly<{
  uid: string;
  generation: number | null;
  resourceVersion: string;
  deliveryLabel: string | null;
  deleting: boolean;
  annotations: Readonly<Record<string, string>>;
}>;

export type Health = Readonly<{
  id: string;
  is: 'current' | 'inProgress' | 'failed' | 'notFound' | 'unknown';
  message: string;
  /** True where a tenant's own expression judged the object. */
  byExpression?: boolean;
}>;

export type Removed = Readonly<{
  id: string;
  is: 'gone' | 'terminating' | 'otherUid' | 'notOurs' | 'denied' | 'unknown';
  message?: string;
}>;

export interface Cluster {
  readonly clusterId: string;
  readonly clusterName: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Namespaces of the workload cluster in which the tenant may work. Empty for a private cluster reached by the tenant's own kubeconfig: no limit of ours. */
  readonly namespaces: readonly string[];
  /** `system:serviceaccount:<ns>:<name>`, or a description of the tenant's own kubeconfig user. For messages. */
  readonly account: string;
  /** Scope and plural of a kind by the cluster's discovery (cached; asked anew once when missing), or null when the cluster has no such kind. */
  resolve(apiVersion: string, kind: string, signal: AbortSignal): Promise<Readonly<{ plural: string; namespaced: boolean }> | null>;
  /**
   * Server-side apply with field manager `weir`, staged (CRDs, Namespaces, cluster-wide definitions, rest, webhooks last), parallel inside a stage.
   * `beforeBatch` is called before each batch and throws when the fence is lost; `afterBatch` gets that batch's results at once. One result per item.
   */
  apply(
    items: readonly ApplyItem[],
    options: Readonly<{ dryRun: boolean; beforeBatch(): Promise<void>; afterBatch(results: readonly Applied[]): Promise<void> }>,
    signal: AbortSignal,
  ): Promise<readonly Applied[]>;
  /** Metadata of objects: from the watch cache when it is synced (no request), else by requests that also start the watch. A missing object is null. */
  live(
    deliveryId: string,
    refs: readonly Readonly<{ id: string; ref: ObjectRef }>[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, LiveMeta | null>>;
  /** Everything of one kind and namespace that carries the delivery's label, by name: from the watch (no request), else by one list. Null where the account may not list. */
  labelled(
    deliveryId: string,
    kind: Readonly<{ apiVersion: string; kind: string; namespace: string }>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, LiveMeta> | null>;
  /** Whole live object, or null when the API server said 404. */
  read(ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | null>;
  /** What server-side apply of the manifest would change, by one dry run: true when the live object differs. */
  differs(item: ApplyItem, signal: AbortSignal): Promise<boolean>;
  /** The live object and what server-side apply would make of it, by one read and one dry run as the tenant. Nothing is written. */
  preview(item: ApplyItem, signal: AbortSignal): Promise<Readonly<{ live: JsonObject | null; after: JsonObject }>>;
  /** Deletes with uid precondition and background propagation after checking our label. `gone` only when the API server confirmed absence (404) or another uid. */
  remove(
    deliveryId: string,
    targets: readonly Readonly<{ id: string; ref: ObjectRef; uid: string }>[],
    options: Readonly<{ beforeBatch(): Promise<void>; afterBatch(results: readonly Removed[]): Promise<void> }>,
    signal: AbortSignal,
  ): Promise<readonly Removed[]>;
  /** Health by kstatus rules; from watches of whole objects that stay open while something is in progress, so that a change makes the delivery due. */
  health(deliveryId: string, refs: readonly Readonly<{ id: string; ref: ObjectRef }>[], signal: AbortSignal): Promise<readonly Health[]>;
  /** True when deleting the object would take other content with it: a Namespace, CRD or PVC that still holds something. */
  holdsContent(ref: ObjectRef, signal: AbortSignal): Promise<boolean>;
}

// ── the delivery's own records ───────────────────────────────────────────────────────────────────────────────────────

/** Inventory of one delivery. Every write checks the fence in its own transaction and throws AppError fenceLost when a newer run owns the unit. */
export interface Inventory {
  /** The number of this run, raised by PostgreSQL for each new one. Objects that the run changes carry it. */
  readonly fence: number;
  load(): Promise<readonly InventoryEntry[]>;
  /** old ∪ new before the first apply: entries that are not there yet are added as `intent`. */
  intend(entries: readonly Readonly<{ id: string; version: string }>[]): Promise<void>;
  /** What the API server confirmed. */
  confirm(
    entries: readonly Readonly<{
      id: string;
      version: string;
      uid: string;
      appliedDigest: string;
      generation: number | null;
      resourceVersion: string;
    }>[],
  ): Promise<void>;
  /** Removes entries whose absence (or other uid) the API server confirmed. */
  forget(ids: readonly string[]): Promise<void>;
  /** Throws fenceLost when a newer run owns the unit. */
  checkFence(): Promise<void>;
}

/** What a Receiver kind keeps: the path under which its webhook is found before a tenant is known. */
export interface HookDirectory {
  /** Sets (or with null empties) the path digest of this receiver. Idempotent. */
  register(pathDigest: string | null): Promise<void>;
}

export type ClusterProbe = Readonly<{
  is: 'ready' | 'unreachable' | 'refused' | 'paused' | 'credentialMissing';
  message: string;
  version: string | null;
  credential: Readonly<{ issuedAtMs: number; expiresAtMs: number }> | null;
  accounts: readonly Readonly<{ tenant: string; account: string; missing: readonly string[]; message: string }>[];
}>;

/** A cluster as its owner watches over it: heartbeat, version, token renewal, permission preflight of each granted account. */
export interface ClusterCare {
  /** Looks once: reads only. Never throws for a cluster that does not answer; that is one of the results. */
  probe(signal: AbortSignal): Promise<ClusterProbe>;
  /** Asks the cluster for a new bootstrap token for the account itself and stores it sealed. The old one lives until it expires. Throws AppError clusterRefused, clusterUnreachable. */
  renew(signal: AbortSignal): Promise<Readonly<{ issuedAtMs: number; expiresAtMs: number }>>;
}

/** What a Placement selects, for its status. */
export interface Places {
  selectedBy(placement: StoredObject): Promise<Readonly<{ definitions: number; clusters: readonly string[] }>>;
}

/** An object of the plane that a definition makes for its own use, such as the HelmChart of a HelmRelease. */
export type OwnedObject = Readonly<{
  kind: string;
  namespace: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  spec: JsonObject;
}>;

export interface OwnedObjects {
  /** Creates it, or sets its spec and these labels and annotations; others of it stay. Audited as the worker. Idempotent. Throws AppError invalid, forbidden, conflict. */
  ensure(wanted: OwnedObject): Promise<'created' | 'configured' | 'unchanged'>;
  /** Begins its deletion when it carries all of these labels. Idempotent; false when there is nothing to delete. */
  remove(key: ObjectKey, labels: Readonly<Record<string, string>>): Promise<boolean>;
}

/** Makes another definition of the tenant due at once. */
export interface Wakes {
  /** `cause` is what the ledger of that run shows. Idempotent; nothing happens for a uid that is not the tenant's. */
  trigger(uid: string, cause: string): Promise<void>;
}

/** Turns at something outside that only one of the tenant's runs should change at a time, whatever machine they run on. */
export interface Turns {
  /**
   * Runs `work` while no other run of the tenant has the turn of this name. A holder that died is overtaken 15 s later; so whoever needs more than less work must not rely
   * on it. Throws the reason of `signal` when it is aborted while waiting.
   */
  take<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export type Capabilities = Readonly<{
  lookup: Lookup;
  secrets: Secrets;
  git: Git;
  artifacts: Artifacts;
  bucket: Bucket;
  charts: Charts;
  compose: Compose;
  registry: Registry;
  sigstore: Sigstore;
  patterns: Patterns;
  imageTags: ImageTags;
  gitWriter: GitWriter;
  setters: Setters;
  pullRequests: PullRequests;
  wakes: Wakes;
  render: Render;
  helm: Helm;
  owned: OwnedObjects;
  cluster: Cluster;
  inventory: Inventory;
  hooks: HookDirectory;
  care: ClusterCare;
  places: Places;
}>;
export type Need = keyof Capabilities;

import type { Json, JsonObject } from './json.ts';
import type { Manifest } from './ports.ts';

/** Helm releases as kinds see them. One release lives in one namespace of one cluster; helm keeps its records there, as Secrets. */

export type ReleaseName = Readonly<{ name: string; namespace: string }>;

export type WaitOptions = Readonly<{
  timeoutMs: number;
  disableHooks: boolean;
  disableWait: boolean;
  disableWaitForJobs: boolean;
  waitStrategy: 'poller' | 'legacy';
}>;
export type ApplyOptions = WaitOptions &
  Readonly<{
    disableOpenAPIValidation: boolean;
    disableSchemaValidation: boolean;
    disableTakeOwnership: boolean;
    skipCrds: boolean;
    /** Renders against the cluster and applies nothing. */
    dryRun?: boolean;
  }>;
export type ServerSide = 'enabled' | 'disabled' | 'auto';

/** One thing to do with a release. Options are those of definitions.md 4.3. */
export type HelmAction =
  | (ApplyOptions & Readonly<{ do: 'install'; replace: boolean; createNamespace: boolean; serverSideApply: boolean }>)
  | (ApplyOptions &
      Readonly<{
        do: 'upgrade';
        preserveValues: boolean;
        force: boolean;
        cleanupOnFail: boolean;
        serverSide: ServerSide;
        maxHistory: number;
      }>)
  | (WaitOptions &
      Readonly<{ do: 'rollback'; to: number; force: boolean; cleanupOnFail: boolean; serverSide: ServerSide; maxHistory: number }>)
  | Readonly<{
      do: 'uninstall';
      timeoutMs: number;
      disableHooks: boolean;
      disableWait: boolean;
      keepHistory: boolean;
      cascade: 'background' | 'foreground' | 'orphan';
    }>
  | Readonly<{ do: 'test'; timeoutMs: number; filters: readonly Readonly<{ name: string; exclude: boolean }>[] }>;

/** What a program of ours needs to speak with the API server as the account itself. Never log, store or quote it. */
export type ClusterEntry = Readonly<{
  /** https://host[:port][/prefix] */
  server: string;
  /** PEM. Empty: the public authorities. */
  caPem: string;
  credential: Readonly<{ is: 'token'; token: string }> | Readonly<{ is: 'certificate'; certificatePem: string; keyPem: string }>;
}>;

/** One record of a release. `release` is helm's own JSON and holds values, which may be secret: never log, store or quote it. */
export type ReleaseRecord = Readonly<{
  name: string;
  namespace: string;
  version: number;
  /** deployed, superseded, failed, uninstalled, uninstalling, pending-install, pending-upgrade, pending-rollback. */
  status: string;
  release: JsonObject;
  /** The Secret that holds it. */
  secret: Readonly<{
    name: string;
    uid: string;
    resourceVersion: string;
    /** The delivery whose runs made it, or a record before it; null for a release of somebody else. */
    deliveryLabel: string | null;
  }>;
}>;

/** A chart package, checked and at hand. `digest` names the package: `sha256:<hex>`. */
export type ChartFacts = Readonly<{ digest: string; name: string; version: string; appVersion: string | null; hasCrds: boolean }>;

export type KustomizePatches = Readonly<{ patches: readonly JsonObject[]; images: readonly JsonObject[] }>;

/** Bound to one delivery: its tenant, cluster and account. Every call takes an AbortSignal; after an abort nothing of it runs any more. */
export interface Helm {
  /**
   * Name and version of the chart in an artifact of this tenant. With `versionMetadata` the version gets that build metadata (definitions.md 4.2). Throws AppError
   * buildFailed when the artifact is no chart, unavailable when it is not in storage, invalid when the version cannot take the metadata.
   */
  chart(artifactDigest: string, versionMetadata: string | null, signal: AbortSignal): Promise<ChartFacts>;
  /** CustomResourceDefinitions in the `crds/` folders of the chart and its subcharts. */
  crds(chart: ChartFacts, signal: AbortSignal): Promise<readonly Manifest[]>;
  /** Records of the release on the cluster, newest first: one request. Empty when there is none. Throws AppError clusterAnswer and what a cluster call throws. */
  records(release: ReleaseName, signal: AbortSignal): Promise<readonly ReleaseRecord[]>;
  /** The objects of a release's manifest, without hooks. */
  objectsOf(record: ReleaseRecord, signal: AbortSignal): Promise<readonly Manifest[]>;
  /** Its hooks, tests included. */
  hooksOf(record: ReleaseRecord, signal: AbortSignal): Promise<readonly Manifest[]>;
  /**
   * Installs or upgrades. `postRender` gets every object and hook that helm is about to apply and answers those it shall apply instead, or throws to refuse
   * all of them. Not idempotent: look at the records first. Throws AppError clusterAnswer with helm's reason, unknownResult when a limit ended it (the record may
   * then be pending), sandboxUnavailable, and what `postRender` threw.
   */
  apply(
    input: Readonly<{
      release: ReleaseName;
      chart: ChartFacts;
      values: JsonObject;
      labels: Readonly<Record<string, string>>;
      action: Extract<HelmAction, { do: 'install' | 'upgrade' }>;
      postRender(objects: readonly Manifest[]): Promise<readonly Manifest[]>;
    }>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Every object and hook that helm would apply, with the cluster's own capabilities and `lookup`; nothing is applied or recorded. Throws as `apply`. */
  listed(
    input: Readonly<{
      release: ReleaseName;
      chart: ChartFacts;
      values: JsonObject;
      action: Extract<HelmAction, { do: 'install' | 'upgrade' }>;
    }>,
    signal: AbortSignal,
  ): Promise<readonly Manifest[]>;
  /** Rolls back, tests or uninstalls. Throws as `apply`. */
  perform(release: ReleaseName, action: Extract<HelmAction, { do: 'rollback' | 'test' | 'uninstall' }>, signal: AbortSignal): Promise<void>;
  /** Marks a record that a killed helm left pending as failed, by its resourceVersion. Throws AppError conflict when somebody wrote in between. */
  unlock(record: ReleaseRecord, message: string, signal: AbortSignal): Promise<void>;
  /**
   * The first document of a YAML text of values; null when it is empty. Each text in values that come from a Secret is masked in whatever is said about the run. Throws
   * AppError buildFailed, which never quotes the text.
   */
  readValues(text: string, from: 'Secret' | 'ConfigMap', signal: AbortSignal): Promise<Json>;
  /**
   * A digest under the tenant's own key, in the same form: digests of values stand in status, where a plain one would let every viewer test guesses of a Secret. The same
   * for the same digest.
   */
  keyed(digest: string): Promise<string>;
  /** What kustomize makes of the objects with patches and images, in the sandbox. Throws AppError buildFailed. */
  patch(objects: readonly Manifest[], patches: KustomizePatches, signal: AbortSignal): Promise<readonly Manifest[]>;
}

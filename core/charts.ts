import type { HttpCredential } from './http.ts';
import type { Artifact } from './ports.ts';

/** Helm chart repositories and charts as kinds see them; `adapters/chart` implements it. */

export type ChartRemote = Readonly<{
  /** Address of the repository, as in HelmRepository.spec.url. */
  url: string;
  credential: HttpCredential;
  caPem: string | null;
  clientCertificate: Readonly<{ certificatePem: string; keyPem: string }> | null;
  /** Send the credential to the address of a chart also when its scheme, host or port is another one. */
  passCredentials: boolean;
  timeoutMs: number;
}>;

/** What a server said about the index that it gave last, for a conditional request. */
export type IndexMark = Readonly<{ etag: string | null; lastModified: string | null }>;
export type IndexLook =
  | Readonly<{ is: 'unchanged' }>
  | Readonly<{
      is: 'index';
      file: string;
      /** `sha256:<hex>` of the index as fetched. */
      revision: string;
      mark: IndexMark;
    }>
  | Readonly<{ is: 'refused'; message: string }>;

/** One version of a chart in an index; `url` is absolute. `createdAtMs` is 0 when the index does not say it. */
export type ChartVersion = Readonly<{ version: string; url: string; digest: string; createdAtMs: number }>;

export type ChartReason =
  | 'InvalidChartReference'
  | 'ChartPullError'
  | 'ValuesFilesError'
  | 'MetadataPatchError'
  | 'DependencyBuildError'
  | 'ChartPackageError'
  | 'ChartVerificationError';

export type ChartBuild =
  | Readonly<{ is: 'built'; artifact: Artifact; name: string; version: string; valuesFiles: readonly string[] }>
  | Readonly<{ is: 'refused'; reason: ChartReason; message: string }>;

export type ChartRefusal = Extract<ChartBuild, { is: 'refused' }>;

/** One entry of Chart.yaml's `dependencies`, with the version of the lock file where there is one. */
export type ChartDependency = Readonly<{ name: string; version: string; repository: string }>;
/** Brings a dependency, packed, from the address that the chart names. The file lasts until the build ends. */
export type BringDependency = (dependency: ChartDependency) => Promise<Readonly<{ is: 'file'; file: string }> | ChartRefusal>;

export type ChartOptions = Readonly<{
  valuesFiles: readonly string[];
  ignoreMissingValuesFiles: boolean;
  /** Build metadata that the version of the chart gets (definitions.md 1.7); null leaves it. */
  versionMetadata: string | null;
}>;

/**
 * Charts are data here: no helm runs, no template is looked at, and no name of a chart or of a file in it becomes a path on disk (threats B3, B4). Content that does
 * not fit is answered as `refused`; AppErrors of the egress client pass through. Files last until the run ends.
 */
export interface Charts {
  /** One conditional GET of the repository's index.yaml, at most 50 MiB. */
  lookAtIndex(remote: ChartRemote, known: IndexMark | null, signal: AbortSignal): Promise<IndexLook>;
  /** Checks and stores an index that `lookAtIndex` brought. Idempotent: the same index gives the same digest. */
  storeIndex(
    file: string,
    signal: AbortSignal,
  ): Promise<Readonly<{ is: 'stored'; artifact: Artifact }> | Readonly<{ is: 'refused'; message: string }>>;
  /** The versions of a chart in a stored index of this tenant; empty when it has none. Throws AppError unavailable when the index is not in storage. */
  versionsOf(
    index: Readonly<{ digest: string; repositoryUrl: string }>,
    chart: string,
    signal: AbortSignal,
  ): Promise<readonly ChartVersion[]>;
  /** The same in an index that `lookAtIndex` brought. */
  versionsIn(
    index: Readonly<{ file: string; repositoryUrl: string }>,
    chart: string,
    signal: AbortSignal,
  ): Promise<Readonly<{ is: 'versions'; versions: readonly ChartVersion[] }> | Readonly<{ is: 'refused'; message: string }>>;
  /** Downloads a chart, packed, of at most 10 MiB, and with the digest that the index says. */
  download(remote: ChartRemote, version: ChartVersion, signal: AbortSignal): Promise<Readonly<{ is: 'file'; file: string }> | ChartRefusal>;
  /** Downloads a chart and stores it under its content. Idempotent. */
  fromRepository(remote: ChartRemote, version: ChartVersion, options: ChartOptions, signal: AbortSignal): Promise<ChartBuild>;
  /** Stores a packed chart that another port brought as a file. Idempotent. */
  fromFile(file: string, options: ChartOptions, signal: AbortSignal): Promise<ChartBuild>;
  /** Packs a chart that lies in a folder (or a .tgz file) of another source's artifact of this tenant; `bring` is asked for what it lacks. Idempotent. */
  fromSource(
    source: Readonly<{ digest: string; path: string; bring: BringDependency }>,
    options: ChartOptions,
    signal: AbortSignal,
  ): Promise<ChartBuild>;
}

/**
 * What one run of a unit came to. `core/reconcile` turns it into conditions, an event, a ledger entry and the next due time;
 * nothing else writes status.
 */
export type Reason =
  // shared with Flux (definitions.md 2 and 3.7)
  | 'Succeeded'
  | 'Progressing'
  | 'ProgressingWithRetry'
  | 'AccessDenied'
  | 'NewArtifact'
  | 'GitOperationFailed'
  | 'EmptyGitRepository'
  | 'BucketOperationFailed'
  | 'InvalidSTSConfiguration'
  | 'Failed'
  | 'IndexationFailed'
  | 'SourceUnavailable'
  | 'NoSourceArtifact'
  | 'InvalidChartReference'
  | 'ChartPullError'
  | 'ChartPullSucceeded'
  | 'ChartPackageError'
  | 'ChartPackageSucceeded'
  | 'ChartVerificationError'
  | 'ValuesFilesError'
  | 'MetadataPatchError'
  | 'DependencyBuildError'
  | 'ReadOperationFailed'
  | 'OCIArtifactPullFailed'
  | 'OCIArtifactLayerOperationFailed'
  | 'VerificationError'
  | 'AuthenticationFailed'
  | 'URLInvalid'
  | 'InvalidProviderConfiguration'
  | 'StorageOperationFailed'
  | 'ArtifactFailed'
  | 'DependencyNotReady'
  | 'InvalidCELExpression'
  | 'BuildFailed'
  | 'ReconciliationFailed'
  | 'ReconciliationSucceeded'
  | 'PruneFailed'
  | 'HealthCheckFailed'
  | 'HealthCheckCanceled'
  | 'TokenNotFound'
  | 'ValidationFailed'
  | 'SourceFetchFailed'
  // Flux's HelmRelease (definitions.md 4.6)
  | 'SourceNotReady'
  | 'ValuesError'
  | 'ChartMutateError'
  | 'InstallSucceeded'
  | 'InstallFailed'
  | 'UpgradeSucceeded'
  | 'UpgradeFailed'
  | 'TestSucceeded'
  | 'TestFailed'
  | 'RollbackSucceeded'
  | 'RollbackFailed'
  | 'UninstallSucceeded'
  | 'UninstallFailed'
  | 'RetriesExceeded'
  | 'MissingRollbackTarget'
  | 'PendingRelease'
  | 'ReconcileError'
  | 'DriftDetected'
  | 'DriftCorrectionFailed'
  // image kinds (definitions.md 5)
  | 'ImageURLInvalid'
  | 'Failure'
  | 'InvalidPolicy'
  | 'IntervalNotConfigured'
  | 'InvalidSourceConfiguration'
  | 'SourceManagerFailed'
  | 'UpdateFailed'
  | 'RemovedTemplateField'
  | 'InvalidUpdateStrategy'
  | 'InvalidPolicySelector'
  // ours
  | 'PullRequestFailed'
  | 'NoCluster'
  | 'PruneApprovalRequired'
  | 'ClusterUnreachable'
  | 'ClusterRefused'
  | 'ClusterPaused'
  | 'UnknownResult'
  | 'UnsupportedField'
  | 'CredentialMissing'
  | 'PermissionsMissing'
  | 'Suspended'
  | 'CrashLoop'
  | 'DeliveriesNotReady';

export type Outcome =
  | Readonly<{ is: 'ready'; reason: Reason; message: string; revision: string; againAfterMs?: number }>
  /** Waiting for a dependency, health, an approval: not an error, never counted as a failure. */
  | Readonly<{ is: 'waiting'; reason: Reason; message: string; afterMs: number }>
  /** Failed now; the runtime retries with growing delay, or after `retryAfterMs` where the kind fixes it (retryInterval). */
  | Readonly<{ is: 'failed'; reason: Reason; message: string; retryAfterMs?: number }>
  /** A person must act; never retried alone. */
  | Readonly<{ is: 'stalled'; reason: Reason; message: string }>;

/** An extra condition that a kind shows beside Ready, such as ArtifactInStorage or FetchFailed. `null` removes it. */
export type ExtraCondition =
  | Readonly<{ type: string; status: 'True' | 'False' | 'Unknown'; reason: string; message: string }>
  | Readonly<{ type: string; status: null }>;

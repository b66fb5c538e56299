import { hasFailedTest } from './history.ts';
import { isGone, isLocked, shownRecord } from './records.ts';
import type { HelmReleaseSpec } from './schema.ts';
import type { HelmReleaseStatus, Snapshot } from './status.ts';

/** What a release should be. */
export type Wanted = Readonly<{
  chartName: string;
  chartVersion: string;
  ociDigest: string | null;
  configDigest: string;
  postRenderersDigest: string;
  commonMetadataDigest: string;
}>;

/** The closed list of states of a release (definitions.md 4.4). `why` is for messages. */
export type State = Readonly<{
  is: 'Absent' | 'Locked' | 'Leaving' | 'Unmanaged' | 'OutOfSync' | 'Failed' | 'Untested' | 'Drifted' | 'InSync';
  why: string;
}>;

export type Looked = Readonly<{
  wanted: Wanted;
  /** Records on the cluster, newest first. */
  records: readonly Snapshot[];
  /** Live objects that differ from the release; empty when drift is not looked for. */
  drifted: readonly string[];
}>;

/** Which of the states a release is in. Pure; the only place that knows. */
export function stateOf(spec: HelmReleaseSpec, status: HelmReleaseStatus | null, { wanted, records, drifted }: Looked): State {
  const [latest] = records;
  if (latest === undefined) return { is: 'Absent', why: 'there is no release' };
  if (isGone(latest)) return { is: 'Absent', why: 'the release is uninstalled' };
  if (isLocked(latest)) return { is: 'Locked', why: `release ${shownRecord(latest)} is ${latest.status}: helm was interrupted` };
  if (latest.status === 'uninstalling') return { is: 'Leaving', why: `release ${shownRecord(latest)} was left uninstalling` };
  const own = status?.history?.[0];
  if (own === undefined) return { is: 'Unmanaged', why: `release ${shownRecord(latest)} was made by somebody else` };
  if (own.version !== latest.version || own.digest !== latest.digest)
    return { is: 'Unmanaged', why: `release ${shownRecord(latest)} was changed by somebody else` };
  if (latest.status === 'failed') return { is: 'Failed', why: `release ${shownRecord(latest)} failed` };
  if (latest.status !== 'deployed') return { is: 'Unmanaged', why: `release ${shownRecord(latest)} is ${latest.status}` };
  const differs = difference(own, latest, status, wanted);
  if (differs !== null) return { is: 'OutOfSync', why: differs };
  if (spec.test?.enable === true && own.testHooks === undefined)
    return { is: 'Untested', why: `release ${shownRecord(latest)} was not tested yet` };
  if (spec.test?.enable === true && hasFailedTest(own) && !ignoresTests(spec, status))
    return { is: 'Failed', why: `a test of release ${shownRecord(latest)} failed` };
  if (drifted.length > 0)
    return { is: 'Drifted', why: `${drifted.length} objects differ from the release: ${drifted.slice(0, 5).join(', ')}` };
  return { is: 'InSync', why: '' };
}

function difference(own: Snapshot, latest: Snapshot, status: HelmReleaseStatus | null, wanted: Wanted): string | null {
  if (latest.chartName !== wanted.chartName) return `chart ${latest.chartName} is to become ${wanted.chartName}`;
  if (latest.chartVersion !== wanted.chartVersion) return `chart version ${latest.chartVersion} is to become ${wanted.chartVersion}`;
  if (wanted.ociDigest !== null && own.ociDigest !== wanted.ociDigest) return 'the content of the chart changed under its version';
  if (own.configDigest !== wanted.configDigest) return 'the values changed';
  if ((status?.observedPostRenderersDigest ?? '') !== wanted.postRenderersDigest) return 'the post-renderers changed';
  if ((status?.observedCommonMetadataDigest ?? '') !== wanted.commonMetadataDigest) return 'the common metadata changed';
  return null;
}

type Attempted = 'install' | 'upgrade';

/** Whose remediation counts: that of the action that was tried last. */
export function attempted(status: HelmReleaseStatus | null): Attempted {
  return status?.lastAttemptedReleaseAction ?? 'install';
}

/** `ignoreTestFailures` of the remediation that counts; as `test.ignoreFailures` when absent (definitions.md 4.3). */
export function ignoresTests(spec: HelmReleaseSpec, status: HelmReleaseStatus | null): boolean {
  return spec[attempted(status)]?.remediation?.ignoreTestFailures ?? spec.test?.ignoreFailures ?? false;
}

export type Counters = Readonly<{ failures: number; installFailures: number; upgradeFailures: number }>;

const NONE: Counters = Object.freeze({ failures: 0, installFailures: 0, upgradeFailures: 0 });

/** The failures that still count: a new generation, chart version or values, or a reset, begins anew (definitions.md 4.4). Pure. */
export function countersOf(
  status: HelmReleaseStatus | null,
  now: Readonly<{ generation: number; wanted: Wanted; reset: boolean }>,
): Counters {
  if (status === null || now.reset) return NONE;
  const same =
    status.lastAttemptedGeneration === now.generation &&
    status.lastAttemptedRevision === now.wanted.chartVersion &&
    (status.lastAttemptedRevisionDigest ?? null) === now.wanted.ociDigest &&
    status.lastAttemptedConfigDigest === now.wanted.configDigest;
  if (!same) return NONE;
  return { failures: status.failures ?? 0, installFailures: status.installFailures ?? 0, upgradeFailures: status.upgradeFailures ?? 0 };
}

/** Whether another try of the action is out of the question. `retries` below 0: never. RetryOnFailure: never. Pure. */
export function isExhausted(spec: HelmReleaseSpec, counters: Counters, action: Attempted): boolean {
  if (spec[action]?.strategy?.name === 'RetryOnFailure') return false;
  const retries = spec[action]?.remediation?.retries ?? 0;
  const count = action === 'install' ? counters.installFailures : counters.upgradeFailures;
  return retries >= 0 && count > retries;
}

/** The last failure is remediated as well: by default for an upgrade with retries, never for an install. Pure. */
export function remediatesLast(spec: HelmReleaseSpec, action: Attempted): boolean {
  const remediation = spec[action]?.remediation;
  return remediation?.remediateLastFailure ?? (action === 'upgrade' && (remediation?.retries ?? 0) > 0);
}

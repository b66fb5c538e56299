import type { ChartVersion } from '#core/charts.ts';
import type { Judged } from '#core/kind.ts';
import type { ExtraCondition, Reason } from '#core/outcome.ts';
import { withBuildMetadata } from '#core/semver/version.ts';
import type { HelmChartObj, Seen } from './observe.ts';
import type { HelmChartStatus } from './schema.ts';
import { findVersion, versionMetadata } from './target.ts';

export type Act = Readonly<{
  do: 'build';
  digest: string;
  /** Of the source's artifact; null for a registry, which has none. */
  revision: string | null;
  /** The version to download; null for a chart of a source's artifact. */
  version: ChartVersion | null;
  metadata: string | null;
  /** Whether the artifact of the status is still in storage. */
  isStored: boolean;
}>;
type Verdict = Judged<typeof HelmChartStatus>;

const FETCH_REASONS = ['AuthenticationFailed', 'AccessDenied', 'ChartPullError', 'InvalidChartReference', 'NoSourceArtifact'] as const;
const BUILD_REASONS = [
  'ChartVerificationError',
  'ValuesFilesError',
  'MetadataPatchError',
  'DependencyBuildError',
  'ChartPackageError',
] as const;
/** No retry can help (definitions.md 2.5); a new artifact of the source starts a run all the same. */
const TERMINAL: ReadonlySet<string> = Object.freeze(
  new Set(['InvalidChartReference', 'ValuesFilesError', 'MetadataPatchError', 'AccessDenied']),
);

/** Whether the artifact is current, must be built, or cannot be; a failure never takes the last one away. Pure. */
export function decide(obj: HelmChartObj, seen: Seen): Act | Verdict {
  const { spec, definition, status } = obj;
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'fetchFailed':
      return refused('FetchFailed', seen.reason, seen.message, seen.retryAfterMs);
    case 'built':
      return afterBuild(obj);
    case 'unchanged':
      return ready(obj);
    case 'repository': {
      const target = findVersion(spec.chart, spec.version, seen.versions);
      if (target.is === 'missing') return refused('FetchFailed', 'InvalidChartReference', `invalid chart reference: ${target.message}`);
      const metadata = metadataOf(obj, seen.revision);
      const isSame = status?.artifact?.revision === revisionOf(target.version.version, metadata);
      if (seen.isStored && isSame && status?.observedGeneration === definition.generation && !hasFailed(obj))
        return ready(obj, { observedSourceArtifactRevision: seen.revision });
      return { do: 'build', digest: seen.digest, revision: seen.revision, version: target.version, metadata, isStored: seen.isStored };
    }
    case 'registry': {
      const target = findVersion(spec.chart, spec.version, seen.versions);
      // Nobody tells when a version is pushed: what is missing is looked for again. Only what is no range waits for a person.
      if (target.is === 'missing')
        return refused(
          'FetchFailed',
          target.badRange ? 'InvalidChartReference' : 'ChartPullError',
          `invalid chart reference: ${target.message}`,
        );
      const metadata = metadataOf(obj, '');
      const isSame = status?.artifact?.revision === revisionOf(target.version.version, metadata);
      if (seen.isStored && isSame && status?.observedGeneration === definition.generation && !hasFailed(obj) && isVerified(obj))
        return ready(obj);
      return { do: 'build', digest: '', revision: null, version: target.version, metadata, isStored: seen.isStored };
    }
    case 'source':
      return {
        do: 'build',
        digest: seen.digest,
        revision: seen.revision,
        version: null,
        metadata: metadataOf(obj, seen.revision),
        isStored: seen.isStored,
      };
  }
}

/** The version with the build metadata in place of its own, as the chart carries it. Pure. */
export function revisionOf(version: string, metadata: string | null): string {
  return metadata === null ? version : (withBuildMetadata(version, metadata) ?? version);
}

function metadataOf({ spec, definition }: HelmChartObj, revision: string): string | null {
  const settings = {
    strategy: spec.reconcileStrategy ?? 'ChartVersion',
    hasValuesFiles: (spec.valuesFiles ?? []).length > 0,
    isRepository: spec.sourceRef.kind === 'HelmRepository',
  } as const;
  return versionMetadata(settings, revision, definition.generation);
}

function hasFailed({ status }: HelmChartObj): boolean {
  return failureIn(status) !== undefined;
}

/** Nothing that must be verified is taken without. */
function isVerified({ spec, status }: HelmChartObj): boolean {
  return spec.verify === undefined || (status?.conditions ?? []).some((one) => one.type === 'SourceVerified' && one.status === 'True');
}

function failureIn(status: HelmChartObj['status']) {
  return status?.conditions?.find((one) => one.status === 'True' && (one.type === 'FetchFailed' || one.type === 'BuildFailed'));
}

/** The build leaves a condition behind when it failed; that is what counts now. */
function afterBuild(obj: HelmChartObj): Verdict {
  const failure = failureIn(obj.status);
  if (failure === undefined) return ready(obj);
  const reason = [...FETCH_REASONS, ...BUILD_REASONS].find((one) => one === failure.reason) ?? 'ChartPackageError';
  return refused(failure.type === 'FetchFailed' ? 'FetchFailed' : 'BuildFailed', reason, failure.message);
}

function ready({ spec, status }: HelmChartObj, more: Partial<HelmChartStatus> = {}): Verdict {
  const revision = status?.artifact?.revision ?? '';
  const isRepository = spec.sourceRef.kind === 'HelmRepository';
  const isRepacked = !isRepository || (spec.valuesFiles ?? []).length > 0;
  const reason: Reason = isRepacked ? 'ChartPackageSucceeded' : 'ChartPullSucceeded';
  const name = status?.observedChartName ?? spec.chart;
  const values = status?.observedValuesFiles ?? [];
  const merged = values.length === 0 ? '' : ` and merged values files [${values.join(' ')}]`;
  const message = `${isRepacked ? 'packaged' : 'pulled'} '${name}' chart with version '${revision}'${merged}`;
  const inStorage: ExtraCondition = { type: 'ArtifactInStorage', status: 'True', reason, message };
  const past = ['FetchFailed', 'BuildFailed', 'ArtifactOutdated', ...(spec.verify === undefined ? ['SourceVerified'] : [])];
  const conditions = [inStorage, ...past.map(gone)];
  return { is: 'ready', reason, message, revision, shown: { status: more, revision, conditions } };
}

function refused(type: 'FetchFailed' | 'BuildFailed', reason: Reason, message: string, retryAfterMs?: number): Verdict {
  const other = type === 'FetchFailed' ? 'BuildFailed' : 'FetchFailed';
  const shown = { conditions: [{ type, status: 'True' as const, reason, message }, gone(other)] };
  if (TERMINAL.has(reason)) return { is: 'stalled', reason, message, shown };
  return { is: 'failed', reason, message, shown, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function gone(type: string): ExtraCondition {
  return { type, status: null };
}

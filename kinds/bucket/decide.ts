import type { BucketObject } from '#core/bucket.ts';
import type { Judged } from '#core/kind.ts';
import type { ExtraCondition, Reason } from '#core/outcome.ts';
import type { BucketObj, FetchReason, Seen } from './observe.ts';
import type { BucketStatus } from './schema.ts';

export type Act = Readonly<{ do: 'build'; objects: readonly BucketObject[]; revision: string }>;
type Verdict = Judged<typeof BucketStatus>;

/** Whether the artifact is current, must be built, or cannot be. A bucket that is gone or does not answer never takes the last artifact away. Pure. */
export function decide(obj: BucketObj, seen: Seen): Act | Verdict {
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'urlInvalid':
      return stalledFetch('URLInvalid', seen.message);
    case 'failed':
      return cannotFetch(seen.reason, seen.message);
    case 'built':
      return afterBuild(obj);
    case 'remote': {
      const { objects, revision } = seen.index;
      // As upstream: rules that leave the same keys leave the same artifact.
      if (seen.stored && obj.status?.artifact?.revision === revision) return ready(revision);
      return { do: 'build', objects, revision };
    }
  }
}

/** The build leaves a condition behind when it failed; that is what counts now. */
function afterBuild({ status }: BucketObj): Verdict {
  const failure = status?.conditions?.find(
    (one) => one.status === 'True' && (one.type === 'FetchFailed' || one.type === 'StorageOperationFailed'),
  );
  if (failure === undefined) return ready(status?.artifact?.revision ?? '');
  if (failure.type === 'StorageOperationFailed')
    return { is: 'failed', reason: 'StorageOperationFailed', message: failure.message, shown: { conditions: [gone('FetchFailed')] } };
  return cannotFetch(isFetchReason(failure.reason) ? failure.reason : 'BucketOperationFailed', failure.message);
}

function ready(revision: string): Verdict {
  const message = `stored artifact: revision '${revision}'`;
  const inStorage: ExtraCondition = { type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message };
  return {
    is: 'ready',
    reason: 'Succeeded',
    message,
    revision,
    shown: { revision, conditions: [inStorage, gone('FetchFailed'), gone('StorageOperationFailed'), gone('ArtifactOutdated')] },
  };
}

/** A private address needs an operator; everything else may be better next time. */
function cannotFetch(reason: FetchReason, message: string): Verdict {
  if (reason === 'AccessDenied') return stalledFetch(reason, message);
  return { is: 'failed', reason, message, shown: { conditions: [fetchFailed(reason, message)] } };
}

function stalledFetch(reason: Reason, message: string): Verdict {
  return { is: 'stalled', reason, message, shown: { conditions: [fetchFailed(reason, message)] } };
}

function fetchFailed(reason: Reason, message: string): ExtraCondition {
  return { type: 'FetchFailed', status: 'True', reason, message };
}

function gone(type: string): ExtraCondition {
  return { type, status: null };
}

function isFetchReason(text: string): text is FetchReason {
  return text === 'BucketOperationFailed' || text === 'AuthenticationFailed' || text === 'AccessDenied';
}

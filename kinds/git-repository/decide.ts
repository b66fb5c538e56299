import type { Judged } from '#core/kind.ts';
import type { ExtraCondition, Reason } from '#core/outcome.ts';
import type { GitRef } from '#core/ports.ts';
import type { GitRepositoryObj, Seen } from './observe.ts';
import type { GitRepositoryStatus } from './schema.ts';
import { findTarget } from './target.ts';

export type Act = Readonly<{ do: 'build'; commit: string; revision: string; within: string | null; advertised: readonly GitRef[] }>;
type Verdict = Judged<typeof GitRepositoryStatus>;

/**
 * Whether the artifact is current, must be built, or cannot be. A branch that is gone, a repository that is empty or does not answer never takes
 * the last artifact away: it stays in the status, and whoever builds from it keeps what it has (reliability.md, fault 31). Pure.
 */
export function decide(obj: GitRepositoryObj, seen: Seen): Act | Verdict {
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'urlInvalid':
      return {
        is: 'stalled',
        reason: 'URLInvalid',
        message: seen.message,
        shown: { conditions: [fetchFailed('URLInvalid', seen.message)] },
      };
    case 'failed':
      return cannotFetch(seen.reason, seen.message);
    case 'built':
      return afterBuild(obj);
    case 'remote':
      return fromRemote(obj, seen);
  }
}

function fromRemote(obj: GitRepositoryObj, { advertised, stored }: Extract<Seen, { at: 'remote' }>): Act | Verdict {
  if (advertised.length === 0) return cannotFetch('EmptyGitRepository', 'git repository is empty');
  const target = findTarget(obj.spec.ref, advertised);
  if (target.is === 'missing') return cannotFetch('GitOperationFailed', `failed to checkout and determine revision: ${target.message}`);
  const { commit, revision, within } = target;
  if (stored && obj.status?.artifact?.revision === revision && isBuiltAsAsked(obj)) return ready(revision);
  return { do: 'build', commit, revision, within, advertised };
}

/** Whether the settings that shape an artifact are those of the current one; the others are not served yet, so they can only be absent. */
function isBuiltAsAsked({ spec, status }: GitRepositoryObj): boolean {
  return (spec.ignore ?? '') === (status?.observedIgnore ?? '');
}

/** The build leaves a condition behind when it failed; that is what counts now. */
function afterBuild({ status }: GitRepositoryObj): Verdict {
  const failure = status?.conditions?.find(
    (one) => one.status === 'True' && (one.type === 'FetchFailed' || one.type === 'StorageOperationFailed'),
  );
  if (failure === undefined) return ready(status?.artifact?.revision ?? '');
  if (failure.type === 'StorageOperationFailed')
    return { is: 'failed', reason: 'StorageOperationFailed', message: failure.message, shown: { conditions: [gone('FetchFailed')] } };
  return cannotFetch(isFetchReason(failure.reason) ? failure.reason : 'GitOperationFailed', failure.message);
}

function ready(revision: string): Verdict {
  const message = `stored artifact for revision '${revision}'`;
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
function cannotFetch(reason: Reason, message: string): Verdict {
  const shown = { conditions: [fetchFailed(reason, message)] };
  return reason === 'AccessDenied' ? { is: 'stalled', reason, message, shown } : { is: 'failed', reason, message, shown };
}

function fetchFailed(reason: Reason, message: string): ExtraCondition {
  return { type: 'FetchFailed', status: 'True', reason, message };
}

function gone(type: string): ExtraCondition {
  return { type, status: null };
}

function isFetchReason(text: string): text is 'GitOperationFailed' | 'AuthenticationFailed' | 'AccessDenied' {
  return text === 'GitOperationFailed' || text === 'AuthenticationFailed' || text === 'AccessDenied';
}

import type { Judged } from '#core/kind.ts';
import type { ExtraCondition, Reason } from '#core/outcome.ts';
import { type Failure, isFetchReason } from './failure.ts';
import type { OCIRepositoryObj, Seen } from './observe.ts';
import type { OCIRepositorySpec, OCIRepositoryStatus } from './schema.ts';

/** `verify` and `pull`: what of it is to be done for this digest. */
export type Act = Readonly<{ do: 'build'; digest: string; revision: string; verify: boolean; pull: boolean }>;
type Verdict = Judged<typeof OCIRepositoryStatus>;

/** Whether the artifact is current and verified, must be built, or cannot be. A registry that does not answer never takes the last artifact away. Pure. */
export function decide(obj: OCIRepositoryObj, seen: Seen): Act | Verdict {
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'urlInvalid':
      return stalledFetch('URLInvalid', seen.message);
    case 'failed':
      return cannotFetch(seen);
    case 'built':
      return afterBuild(obj);
    case 'remote': {
      const { digest, revision } = seen;
      const verify = mustVerify(obj, revision);
      const pull = !seen.stored || obj.status?.artifact?.revision !== revision || !isBuiltAsAsked(obj);
      return verify || pull ? { do: 'build', digest, revision, verify, pull } : ready(obj, revision);
    }
  }
}

/** A signature counts for one revision and one spec; the last failure is looked at again (definitions.md 2.3). */
function mustVerify({ definition, spec, status }: OCIRepositoryObj, revision: string): boolean {
  if (spec.verify === undefined) return false;
  const verified = status?.conditions?.find((one) => one.type === 'SourceVerified');
  return verified?.status !== 'True' || verified.observedGeneration !== definition.generation || status?.artifact?.revision !== revision;
}

/** Whether the settings that shape an artifact are those of the current one. */
function isBuiltAsAsked({ spec, status }: OCIRepositoryObj): boolean {
  return (spec.ignore ?? '') === (status?.observedIgnore ?? '') && selected(spec.layerSelector) === selected(status?.observedLayerSelector);
}

function selected(selector: OCIRepositorySpec['layerSelector']): string {
  return JSON.stringify([selector?.mediaType ?? '', selector?.operation ?? 'extract']);
}

/** The build leaves a condition behind when it failed; that is what counts now. */
function afterBuild(obj: OCIRepositoryObj): Verdict {
  const conditions = obj.status?.conditions ?? [];
  const failure = conditions.find((one) => one.status === 'True' && (one.type === 'FetchFailed' || one.type === 'StorageOperationFailed'));
  if (failure === undefined) return unverified(conditions) ?? ready(obj, obj.status?.artifact?.revision ?? '');
  if (failure.type === 'StorageOperationFailed')
    return { is: 'failed', reason: 'StorageOperationFailed', message: failure.message, shown: { conditions: [gone('FetchFailed')] } };
  return cannotFetch({ reason: isFetchReason(failure.reason) ? failure.reason : 'OCIArtifactPullFailed', message: failure.message });
}

function unverified(conditions: NonNullable<OCIRepositoryStatus['conditions']>): Verdict | null {
  const refused = conditions.find((one) => one.type === 'SourceVerified' && one.status === 'False');
  if (refused === undefined) return null;
  const shown = { conditions: ['FetchFailed', 'StorageOperationFailed'].map(gone) };
  return { is: 'failed', reason: 'VerificationError', message: refused.message, shown };
}

function ready({ spec }: OCIRepositoryObj, revision: string): Verdict {
  const message = `stored artifact for digest '${revision}'`;
  const inStorage: ExtraCondition = { type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message };
  const past = ['FetchFailed', 'StorageOperationFailed', 'ArtifactOutdated', ...(spec.verify === undefined ? ['SourceVerified'] : [])];
  return {
    is: 'ready',
    reason: 'Succeeded',
    message,
    revision,
    shown: { revision, conditions: [inStorage, ...past.map(gone)] },
  };
}

/** A private address needs an operator; everything else may be better next time. */
function cannotFetch({ reason, message, retryAfterMs }: Failure): Verdict {
  if (reason === 'AccessDenied') return stalledFetch(reason, message);
  const shown = { conditions: [fetchFailed(reason, message)] };
  return { is: 'failed', reason, message, shown, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
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

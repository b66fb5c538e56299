import type { IndexMark } from '#core/charts.ts';
import type { Judged } from '#core/kind.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import type { HelmRepositoryObj, Seen } from './observe.ts';
import type { HelmRepositoryStatus } from './schema.ts';

export type Act = Readonly<{ do: 'store'; file: string; revision: string; mark: IndexMark }>;
type Verdict = Judged<typeof HelmRepositoryStatus>;

/** Whether the stored index is current, must be stored, or cannot be had; a failure never takes the last one away. Pure. */
export function decide(obj: HelmRepositoryObj, seen: Seen): Act | Verdict {
  const current = obj.status?.artifact;
  switch (seen.at) {
    case 'registry':
      return registry();
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'urlInvalid':
      return stalled('URLInvalid', seen.message);
    case 'failed':
      if (seen.reason === 'AccessDenied') return stalled('AccessDenied', seen.message);
      return {
        is: 'failed',
        reason: seen.reason,
        message: seen.message,
        ...(seen.retryAfterMs === undefined ? {} : { retryAfterMs: seen.retryAfterMs }),
        shown: { conditions: [fetchFailed(seen.reason, seen.message)] },
      };
    case 'unchanged':
      return ready(current?.revision ?? '');
    case 'index':
      if (seen.isStored && current?.revision === seen.revision) return ready(seen.revision);
      return { do: 'store', file: seen.file, revision: seen.revision, mark: seen.mark };
    case 'stored':
      return afterStore(obj);
  }
}

/** Storing leaves a condition behind when it failed; that is what counts now. */
function afterStore({ status }: HelmRepositoryObj): Verdict {
  const find = (type: string) => status?.conditions?.find((one) => one.status === 'True' && one.type === type);
  const storage = find('StorageOperationFailed');
  if (storage !== undefined)
    return { is: 'failed', reason: 'StorageOperationFailed', message: storage.message, shown: { conditions: [gone('FetchFailed')] } };
  const fetch = find('FetchFailed');
  if (fetch?.reason === 'IndexationFailed')
    return {
      is: 'failed',
      reason: 'IndexationFailed',
      message: fetch.message,
      shown: { conditions: [fetchFailed('IndexationFailed', fetch.message)] },
    };
  return ready(status?.artifact?.revision ?? '');
}

/** A record of where charts are: nothing is fetched, and what an index left behind before the type was changed is taken away. */
function registry(): Verdict {
  const gone = ['ArtifactInStorage', 'ArtifactOutdated', 'FetchFailed', 'StorageOperationFailed'].map((type) => ({ type, status: null }));
  const shown = { conditions: gone, without: ['artifact', 'url'] };
  return { is: 'ready', reason: 'Succeeded', message: 'Helm repository is ready', revision: '', shown };
}

function ready(revision: string): Verdict {
  const message = `stored artifact: revision '${revision}'`;
  const inStorage: ExtraCondition = { type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message };
  const conditions = [inStorage, gone('FetchFailed'), gone('StorageOperationFailed'), gone('ArtifactOutdated')];
  return { is: 'ready', reason: 'Succeeded', message, revision, shown: { revision, conditions } };
}

function stalled(reason: 'URLInvalid' | 'AccessDenied', message: string): Verdict {
  return { is: 'stalled', reason, message, shown: { conditions: [fetchFailed(reason, message)] } };
}

function fetchFailed(reason: string, message: string): ExtraCondition {
  return { type: 'FetchFailed', status: 'True', reason, message };
}

function gone(type: string): ExtraCondition {
  return { type, status: null };
}

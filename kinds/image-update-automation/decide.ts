import { commitDigest } from '#core/git-values.ts';
import { canonicalJson } from '#core/json.ts';
import type { Judged } from '#core/kind.ts';
import type { AutomationObj, Seen } from './observe.ts';
import type { ImageUpdateAutomationStatus } from './schema.ts';

export type Act = Readonly<{ do: 'write' }>;
type Verdict = Judged<typeof ImageUpdateAutomationStatus>;

/** Whether the files must be looked through. Unchanged policies on an unchanged branch end the run early. Pure. */
export function decide(obj: AutomationObj, seen: Seen): Act | Verdict {
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'foreign':
      return { is: 'stalled', reason: 'AccessDenied', message: seen.message };
    case 'sourceInvalid':
      return { is: 'stalled', reason: 'InvalidSourceConfiguration', message: seen.message };
    case 'templateField':
      return { is: 'stalled', reason: 'RemovedTemplateField', message: seen.message };
    case 'selector':
      return { is: 'stalled', reason: 'InvalidPolicySelector', message: seen.message };
    case 'sourceUnavailable':
      return { is: 'failed', reason: 'SourceManagerFailed', message: seen.message };
    case 'written':
      return ready(obj);
    case 'remote':
      return isDone(obj, seen) ? ready(obj) : { do: 'write' };
  }
}

function isDone({ definition, status }: AutomationObj, { policies, revision }: Extract<Seen, { at: 'remote' }>): boolean {
  return (
    revision !== '' &&
    status?.observedSourceRevision === revision &&
    status.observedGeneration === definition.generation &&
    canonicalJson({ ...status.observedPolicies }) === canonicalJson({ ...policies })
  );
}

function ready({ status }: AutomationObj): Verdict {
  const { observedSourceRevision: revision = '', lastPushCommit: commit } = status ?? {};
  const isOurs = commit !== undefined && revision.endsWith(`@${commitDigest(commit)}`);
  const branch = revision.slice(0, revision.lastIndexOf('@'));
  const message = isOurs ? `pushed commit '${commit.slice(0, 7)}' to branch '${branch}'` : 'repository up-to-date';
  return { is: 'ready', reason: 'Succeeded', message, revision };
}

import type { Judged } from '#core/kind.ts';
import type { PullRequest, PullRequestText } from '#core/pull-requests.ts';
import type { StoredObject } from '#core/store.ts';
import { isOverAt, type Left, type Look, type PolicyObj, type Seen } from './observe.ts';
import type { PullRequestPolicySpec, PullRequestPolicyStatus, Request } from './schema.ts';
import type { Target } from './targets.ts';
import { hasText, isOurs, wantedText } from './text.ts';

/** One change on the server, and the entry of the status that holds when it has been made. */
export type Step =
  | Readonly<{ is: 'open'; target: Target; text: PullRequestText; entry: Request }>
  | Readonly<{ is: 'update'; number: number; text: PullRequestText; entry: Request }>
  | Readonly<{ is: 'close'; number: number; entry: Request }>;
export type Act = Readonly<{ do: 'sync'; steps: readonly Step[]; settled: readonly Request[] }>;
type Verdict = Judged<typeof PullRequestPolicyStatus>;

/** Which requests must be opened, changed or closed. Pure. */
export function decide(obj: PolicyObj, seen: Seen): Act | Verdict {
  switch (seen.at) {
    case 'invalid':
      return { is: 'stalled', reason: 'ValidationFailed', message: seen.message };
    case 'noCredential':
      return { is: 'failed', reason: 'AuthenticationFailed', message: seen.message };
    case 'synced':
      return verdict(obj.status?.requests ?? [], seen.unknown);
    case 'seen': {
      const planned = [...seen.looks.map((look) => planOf(obj, look)), ...seen.left.flatMap((left) => planOfLeft(obj.definition, left))];
      const steps = planned.filter((one) => one.is !== 'settled');
      const settled = [...planned.flatMap((one) => (one.is === 'settled' ? [one.entry] : [])), ...seen.kept];
      return steps.length > 0 ? { do: 'sync', steps, settled } : verdict(settled, seen.unknown);
    }
  }
}

type Planned = Step | Readonly<{ is: 'settled'; entry: Request }>;

function planOf({ definition, spec }: Readonly<{ definition: StoredObject; spec: PullRequestPolicySpec }>, look: Look): Planned {
  const { target } = look;
  const { automations, repository, head, base, commit } = target;
  const plain = { automations: [...automations], repository, head, base, commit };
  if (look.is === 'failed') return settled({ ...plain, state: 'Failed', message: look.message.slice(0, 1_000) });
  const { request, isAhead } = look;
  if (request?.state === 'open') {
    const entry: Request = { ...plain, state: 'Open', ...numbered(request) };
    if (!isOurs(definition, request)) return settled({ ...entry, message: 'somebody else opened it; it is let be' });
    if (!isAhead) return { is: 'close', number: request.number, entry: { ...entry, state: 'Closed' } };
    const text = wantedText(definition, spec, target);
    return hasText(request, text) ? settled(entry) : { is: 'update', number: request.number, text, entry };
  }
  if (request !== null && isOverAt(request, commit))
    return settled({ ...plain, state: request.state === 'merged' ? 'Merged' : 'Closed', ...numbered(request) });
  if (!isAhead) return settled({ ...plain, state: 'UpToDate' });
  return { is: 'open', target, text: wantedText(definition, spec, target), entry: { ...plain, state: 'Open' } };
}

/** What nobody pushes to any more is overtaken: closed when it is ours and still open, and then forgotten. */
function planOfLeft(definition: StoredObject, left: Left): readonly Planned[] {
  const { entry } = left;
  if (left.is === 'failed') return [settled({ ...entry, state: 'Failed', message: left.message.slice(0, 1_000) })];
  const { request } = left;
  if (request === null || request.state !== 'open' || !isOurs(definition, request)) return [];
  return [{ is: 'close', number: request.number, entry: { ...entry, state: 'Closed' } }];
}

function settled(entry: Request): Planned {
  return { is: 'settled', entry };
}

export function numbered({ number, url }: PullRequest): Pick<Request, 'number' | 'url'> {
  return url === '' ? { number } : { number, url };
}

function verdict(requests: readonly Request[], unknown: readonly string[]): Verdict {
  const sorted = requests.toSorted((left, right) => (left.head < right.head ? -1 : 1));
  const shown = { status: { requests: sorted } };
  const failures = [...unknown, ...sorted.flatMap(({ state, message }) => (state === 'Failed' && message !== undefined ? [message] : []))];
  const [first] = failures;
  if (first !== undefined) {
    const more = failures.length === 1 ? '' : `; and ${failures.length - 1} more`;
    return { is: 'failed', reason: 'PullRequestFailed', message: `${first}${more}`, shown };
  }
  const count = (state: Request['state']): number => sorted.filter((one) => one.state === state).length;
  const message = `${count('Open')} open, ${count('Merged')} merged, ${count('Closed')} closed, ${count('UpToDate')} without a change`;
  return { is: 'ready', reason: 'Succeeded', message, revision: '', shown };
}

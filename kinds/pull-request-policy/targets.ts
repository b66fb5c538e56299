import { at, textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import { checkedOutBranch, repositoryOfUrl, repositoryProblem } from './remote.ts';
import type { PullRequestPolicySpec } from './schema.ts';

/** What an automation has chosen, for the text of a request. */
export type Choice = Readonly<{ policy: string; image: string }>;
/** A branch with commits of automations that is to be merged. */
export type Target = Readonly<{
  automations: readonly string[];
  repository: string;
  head: string;
  base: string;
  commit: string;
  choices: readonly Choice[];
}>;
export type Targets =
  | Readonly<{
      is: 'targets';
      targets: readonly Target[];
      /** Automations of which it is not known where they push: their requests are let be. */
      unknown: readonly Readonly<{ automation: string; message: string }>[];
      /** Automations that have pushed nothing yet, or not since they were made anew. */
      quiet: readonly string[];
    }>
  | Readonly<{ is: 'invalid'; message: string }>;

export const MAX_AUTOMATIONS = 50;
const MAX_CHOICES = 50;
const REVISION = /^(.+)@sha(?:1|256):([0-9a-f]{40}|[0-9a-f]{64})$/;

/** What the automations of a policy have pushed, as their status says it; nothing is asked of a server. */
export async function findTargets(lookup: Lookup, { namespace }: StoredObject, spec: PullRequestPolicySpec): Promise<Targets> {
  const selected = (await lookup.list('ImageUpdateAutomation', namespace)).filter((one) => isSelected(spec, one));
  if (selected.length > MAX_AUTOMATIONS)
    return {
      is: 'invalid',
      message: `spec.automations selects ${selected.length} automations, and one policy serves at most ${MAX_AUTOMATIONS}`,
    };
  const targets: Target[] = [];
  const unknown: { automation: string; message: string }[] = [];
  const quiet: string[] = [];
  for (const automation of selected) {
    const found = await targetOf(lookup, spec, automation);
    if (typeof found === 'string')
      unknown.push({ automation: automation.name, message: `ImageUpdateAutomation ${automation.name}: ${found}` });
    else if (found === null) quiet.push(automation.name);
    else targets.push(found);
  }
  const joined = join(targets, spec.requestPer ?? 'Automation');
  return typeof joined === 'string' ? { is: 'invalid', message: joined } : { is: 'targets', targets: joined, unknown, quiet };
}

function isSelected({ automations: { names, selector } }: PullRequestPolicySpec, one: StoredObject): boolean {
  if (one.deletingAtMs !== null || (names !== undefined && !names.includes(one.name))) return false;
  return Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => Object.hasOwn(one.labels, key) && one.labels[key] === value);
}

/** Null when it has pushed nothing yet. */
async function targetOf(lookup: Lookup, spec: PullRequestPolicySpec, automation: StoredObject): Promise<Target | string | null> {
  const { status, namespace, name, body } = automation;
  if (textAt(status ?? {}, 'lastPushCommit') === undefined) return null;
  const [, head = '', commit = ''] = REVISION.exec(textAt(status ?? {}, 'observedSourceRevision') ?? '') ?? [];
  if (head === '') return 'its status names no branch yet: wait for its next run';
  const sourceName = textAt(body, 'spec', 'sourceRef', 'name') ?? '';
  const sourceNamespace = textAt(body, 'spec', 'sourceRef', 'namespace') ?? namespace;
  const source = await lookup.get({ kind: 'GitRepository', namespace: sourceNamespace, name: sourceName });
  if (source === null) return `GitRepository ${sourceNamespace}/${sourceName} not found`;
  const repository = spec.repository ?? repositoryOfUrl(textAt(source.body, 'spec', 'url') ?? '');
  const problem = repositoryProblem(spec.provider, repository);
  if (problem !== null) return `the path of its GitRepository's URL ${problem}: write spec.repository`;
  const base = spec.base ?? checkedOutBranch(body, source.body);
  if (base === '') return 'it checks out no branch: write spec.base';
  if (base === head) return `it pushes to ${base} itself: set spec.git.push.branch to another branch there`;
  return { automations: [name], repository, head, base, commit, choices: choicesOf(automation) };
}

function choicesOf({ status }: StoredObject): readonly Choice[] {
  const observed = at(status ?? {}, 'observedPolicies');
  return Object.entries(typeof observed === 'object' && observed !== null ? observed : {})
    .slice(0, MAX_CHOICES)
    .map(([policy, ref]) => ({ policy, image: imageOf(textAt(ref, 'name'), textAt(ref, 'tag'), textAt(ref, 'digest')) }));
}

function imageOf(name = '', tag = '', digest?: string): string {
  return `${name}:${tag}${digest === undefined ? '' : `@${digest}`}`;
}

/** Of automations at one branch, one target; a server has one request per pair of branches. */
function join(targets: readonly Target[], requestPer: 'Automation' | 'Policy'): readonly Target[] | string {
  const groups = [...Map.groupBy(targets, targetKey).values()];
  const [first, second] = groups.map((group) => group[0]);
  if (requestPer === 'Policy' && first !== undefined && second !== undefined)
    return `spec.requestPer Policy needs one branch, but ${first.automations[0]} pushes to ${first.head} of ${first.repository} and ${second.automations[0]} to ${second.head} of ${second.repository}: set the same spec.git.push.branch in both, or use Automation`;
  const shared = groups.find((group) => group.length > 1);
  if (requestPer === 'Automation' && shared !== undefined)
    return `spec.requestPer Automation needs a branch for each, but ${shared.map(({ automations }) => automations[0]).join(', ')} push to ${shared[0]?.head}: set another spec.git.push.branch in each, or use Policy`;
  return groups.flatMap((group) => {
    const [one] = group;
    if (one === undefined) return [];
    const choices = new Map(group.flatMap((each) => each.choices.map((choice) => [choice.policy, choice] as const)));
    return [{ ...one, automations: group.flatMap(({ automations }) => automations), choices: [...choices.values()].slice(0, MAX_CHOICES) }];
  });
}

export function targetKey({ repository, head, base }: Readonly<{ repository: string; head: string; base: string }>): string {
  return JSON.stringify([repository, head, base]);
}

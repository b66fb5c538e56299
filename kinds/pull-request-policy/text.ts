import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/json.ts';
import type { PullRequest, PullRequestText } from '#core/pull-requests.ts';
import type { StoredObject } from '#core/store.ts';
import type { PullRequestPolicySpec } from './schema.ts';
import type { Target } from './targets.ts';

/** The text of a request. Its last line, which no server shows, says whose it is and from what it was made. */
const MARK = /^<!-- weir:([0-9a-f-]{36}):([0-9a-f]{64}) -->$/m;

/** Title, body and labels that a target's request should have. Pure. */
export function wantedText({ namespace, name, uid }: StoredObject, spec: PullRequestPolicySpec, target: Target): PullRequestText {
  const title = spec.title ?? `Update images (${target.head})`;
  const visible = [
    `Image updates of ${target.automations.map(code).join(', ')}, opened by PullRequestPolicy ${code(`${namespace}/${name}`)}.`,
    '',
    '| policy | image |',
    '|---|---|',
    ...target.choices.map(({ policy, image }) => `| ${code(policy)} | ${code(image)} |`),
  ].join('\n');
  const digest = createHash('sha256').update(canonicalJson({ title, visible })).digest('hex');
  return { title, body: `${visible}\n\n<!-- weir:${uid}:${digest} -->`, labels: [...(spec.labels ?? [])] };
}

/** Whether this policy opened it. One that a person opened between the same branches is let be. Pure. */
export function isOurs({ uid }: StoredObject, { body }: PullRequest): boolean {
  return MARK.exec(withoutReturns(body))?.[1] === uid;
}

/** Whether a request of ours has the text that was wanted when it was written, and all of the labels; what people wrote into it since is let be. Pure. */
export function hasText({ body, labels }: PullRequest, wanted: PullRequestText): boolean {
  const [has, should] = [body, wanted.body].map((text) => MARK.exec(withoutReturns(text))?.[2]);
  // GitHub knows a label by any case, and shows the one in which it was made.
  const present = new Set(labels.map((label) => label.toLowerCase()));
  return has === should && wanted.labels.every((label) => present.has(label.toLowerCase()));
}

/** Some servers keep a body with the line ends of the web. */
function withoutReturns(text: string): string {
  return text.replaceAll('\r', '');
}

/** In a code span nothing is a link, a mention or a cell's end. */
function code(text: string): string {
  return `\`${text.replaceAll(/[`|\p{C}\s]/gu, '').slice(0, 300)}\``;
}

import { type Filter, type Rule, selectTag } from '#core/image/select.ts';
import type { Patterns } from '#core/ports.ts';
import type { ImagePolicySpec } from './schema.ts';

export type Choice =
  | Readonly<{ is: 'chosen'; tag: string /** The tag is gone from the registry, and what is left is older. */; isHeld: boolean }>
  | Readonly<{ is: 'none' | 'invalid'; message: string }>;

/** The rule of a spec: of several the first in the order semver, alphabetical, numerical. Null for none. Pure. */
export function ruleOf({ policy }: ImagePolicySpec): Rule | null {
  if (policy.semver !== undefined) return { by: 'semver', range: policy.semver.range };
  if (policy.alphabetical !== undefined) return { by: 'alphabetical', order: policy.alphabetical.order ?? 'asc' };
  if (policy.numerical !== undefined) return { by: 'numerical', order: policy.numerical.order ?? 'asc' };
  return null;
}

export function filterOf({ filterTags }: ImagePolicySpec): Filter | null {
  return filterTags === undefined ? null : { pattern: filterTags.pattern ?? '', extract: filterTags.extract ?? '' };
}

/**
 * The tag that the policy chooses. A tag that was chosen before (`held`) and has vanished is not given up for one that the policy itself ranks lower: a registry
 * that lost or rewound tags takes nobody back to an older version (reliability.md INV-8, fault 34). Pure.
 */
export function chooseTag(spec: ImagePolicySpec, tags: readonly string[], held: string | null, patterns: Patterns): Choice {
  const rule = ruleOf(spec);
  if (rule === null) return { is: 'invalid', message: 'invalid policy: spec.policy needs one of semver, alphabetical and numerical' };
  const policy = { rule, filter: filterOf(spec), patterns };
  const selected = selectTag(policy, tags);
  if (selected.is === 'invalid') return { is: 'invalid', message: `invalid policy: ${selected.message}` };
  if (selected.is === 'none') return selected;
  if (held === null || held === selected.tag || tags.includes(held)) return { is: 'chosen', tag: selected.tag, isHeld: false };
  const against = selectTag(policy, [selected.tag, held]);
  const isHeld = against.is === 'chosen' && against.tag === held;
  return { is: 'chosen', tag: isHeld ? held : selected.tag, isHeld };
}

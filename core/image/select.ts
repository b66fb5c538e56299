import { expand } from '../patterns.ts';
import type { Patterns } from '../ports.ts';
import { isInRange, parseRange, type Range } from '../semver/range.ts';
import { compareVersions, parseStrictVersion, type Version } from '../semver/version.ts';
import { parseGoFloat } from './go-float.ts';

/** How the newest tag is found (definitions.md 5.2); `order` as in Flux: `asc` takes the last of the ascending order. */
export type Rule =
  | Readonly<{ by: 'semver'; range: string }>
  | Readonly<{ by: 'alphabetical'; order: 'asc' | 'desc' }>
  | Readonly<{ by: 'numerical'; order: 'asc' | 'desc' }>;
type Pattern = Extract<ReturnType<Patterns['compile']>, { is: 'pattern' }>;

export type Filter = Readonly<{ pattern: string; extract: string }>;

/** Why a tag was not chosen. */
export type Loss =
  | Readonly<{ why: 'filtered' }>
  | Readonly<{ why: 'noVersion'; value: string }>
  | Readonly<{ why: 'outsideRange'; value: string }>
  /** Another tag comes later in the order. */
  | Readonly<{ why: 'beaten'; value: string; by: string }>
  /** The same value as the chosen tag; of equals the last in byte order wins. */
  | Readonly<{ why: 'equal'; value: string; by: string }>;

export type Selection =
  | Readonly<{ is: 'chosen'; tag: string }>
  | Readonly<{ is: 'none'; message: string }>
  /** The policy itself is wrong; no tag can mend it. */
  | Readonly<{ is: 'invalid'; message: string }>;

type Placed<P> =
  | Readonly<{ is: 'placed'; place: P }>
  | Readonly<{ is: 'noVersion' | 'outsideRange' }>
  | Readonly<{ is: 'error'; message: string }>;
/** Places a value in the order of one policy, or says why it does not take part. */
type Judge<P> = Readonly<{ place(value: string): Placed<P>; compare(left: P, right: P): number }>;

/**
 * The tag that a policy chooses. The same for the same set of tags, whatever their order: of tags with equal value the last in byte order wins, where Flux leaves
 * it to chance. `onLoss` hears of each other tag, in no certain order. Pure.
 */
export function selectTag(
  policy: Readonly<{ rule: Rule; filter: Filter | null; patterns: Patterns }>,
  tags: Iterable<string>,
  onLoss: (tag: string, loss: Loss) => void = ignore,
): Selection {
  const filter = policy.filter === null || policy.filter.pattern === '' ? null : policy.patterns.compile(policy.filter.pattern);
  if (filter?.is === 'invalid')
    return { is: 'invalid', message: `invalid regular expression pattern in spec.filterTags.pattern: ${filter.message}` };
  const input = { tags, filter, extract: policy.filter?.extract ?? '', onLoss };
  const { rule } = policy;
  switch (rule.by) {
    case 'semver': {
      const range = parseRange(rule.range);
      if (range === null)
        return { is: 'invalid', message: `failed to parse semver range: improper constraint: ${rule.range.slice(0, 100)}` };
      return run(bySemver(range), input);
    }
    case 'alphabetical':
      return run(byText(rule.order), input);
    case 'numerical':
      return run(byNumber(rule.order), input);
  }
}

/**
 * The tags that take part in an order by something else than the tag itself: those that pass the filter and, of a semver rule, are in its range. Pure.
 */
export function takingPart(
  policy: Parameters<typeof selectTag>[0],
  tags: Iterable<string>,
): Readonly<{ is: 'tags'; tags: readonly string[] }> | Exclude<Selection, { is: 'chosen' }> {
  // Whether a tag is a number says nothing about when it was built.
  const rule: Rule = policy.rule.by === 'semver' ? policy.rule : { by: 'alphabetical', order: 'asc' };
  const found: string[] = [];
  const selection = selectTag({ ...policy, rule }, tags, (tag, { why }) => {
    if (why === 'beaten' || why === 'equal') found.push(tag);
  });
  return selection.is === 'chosen' ? { is: 'tags', tags: [...found, selection.tag] } : selection;
}

function bySemver(range: Range): Judge<Version> {
  return {
    place(value) {
      const version = parseStrictVersion(value);
      if (version === null) return { is: 'noVersion' };
      return isInRange(range, version) ? { is: 'placed', place: version } : { is: 'outsideRange' };
    },
    compare: compareVersions,
  };
}

function byText(order: 'asc' | 'desc'): Judge<string> {
  return { place: (value) => ({ is: 'placed', place: value }), compare: (left, right) => sign(order) * compare(left, right) };
}

/** As Flux, one tag that is no number is an error of the whole. */
function byNumber(order: 'asc' | 'desc'): Judge<number> {
  return {
    place(value) {
      const number = parseGoFloat(value);
      if (number === null) return { is: 'error', message: `failed to parse invalid numeric value '${value.slice(0, 130)}'` };
      return { is: 'placed', place: number };
    },
    compare: (left, right) => sign(order) * compare(left, right),
  };
}

type Input = Readonly<{ tags: Iterable<string>; filter: Pattern | null; extract: string; onLoss: (tag: string, loss: Loss) => void }>;
type Best<P> = Readonly<{ tag: string; value: string; place: P }>;

function run<P>(judge: Judge<P>, { tags, filter, extract, onLoss }: Input): Selection {
  let best: Best<P> | null = null;
  let seen = 0;
  for (const tag of tags) {
    seen += 1;
    const value = valueOf(tag, filter, extract);
    if (value === null) {
      onLoss(tag, { why: 'filtered' });
      continue;
    }
    const placed = judge.place(value);
    if (placed.is === 'error') return { is: 'none', message: placed.message };
    if (placed.is !== 'placed') {
      onLoss(tag, { why: placed.is, value });
      continue;
    }
    const next: Best<P> = { tag, value, place: placed.place };
    best = best === null ? next : better(judge, best, next, onLoss);
  }
  if (best !== null) return { is: 'chosen', tag: best.tag };
  return {
    is: 'none',
    message: seen === 0 ? 'version list argument cannot be empty' : 'unable to determine latest version from provided list',
  };
}

function better<P>(judge: Judge<P>, held: Best<P>, next: Best<P>, onLoss: Input['onLoss']): Best<P> {
  const order = judge.compare(next.place, held.place);
  const [winner, loser] = order > 0 || (order === 0 && next.tag > held.tag) ? [next, held] : [held, next];
  if (winner.tag !== loser.tag) onLoss(loser.tag, { why: order === 0 ? 'equal' : 'beaten', value: loser.value, by: winner.tag });
  return winner;
}

/** What orders the tag: itself, or what the pattern extracts; null when the pattern does not match. */
function valueOf(tag: string, filter: Pattern | null, extract: string): string | null {
  if (filter === null) return tag;
  if (extract === '') return filter.isIn(tag) ? tag : null;
  const match = filter.find(tag);
  return match === null ? null : expand(extract, match);
}

function sign(order: 'asc' | 'desc'): number {
  return order === 'asc' ? 1 : -1;
}

/** Tags are ASCII: code units are bytes. */
function compare<T extends string | number>(left: T, right: T): number {
  if (left === right) return 0;
  return left > right ? 1 : -1;
}

function ignore(): void {
  // Nobody asked why.
}

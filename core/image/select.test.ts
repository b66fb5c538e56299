import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { type Filter, type Loss, type Rule, selectTag } from './select.ts';

const patterns = createPatterns();

function choose(rule: Rule, tags: readonly string[], filter: Filter | null = null) {
  const selection = selectTag({ rule, filter, patterns }, tags);
  return selection.is === 'chosen' ? selection.tag : selection;
}

const semver = (range: string): Rule => ({ by: 'semver', range });
const text = (order: 'asc' | 'desc'): Rule => ({ by: 'alphabetical', order });
const number = (order: 'asc' | 'desc'): Rule => ({ by: 'numerical', order });

test.each<readonly [Rule, readonly string[], string]>([
  [semver('>=1.0.0'), ['1.0.0', '1.2.0', '1.10.0', 'latest', '2.0.0-rc.1'], '1.10.0'],
  [semver('>=1.0.0-0'), ['1.0.0', '2.0.0-rc.1'], '2.0.0-rc.1'],
  [semver('1.x'), ['v1.2.3', 'v1.3.0', 'v2.0.0'], 'v1.3.0'],
  [semver('*'), ['1.0', '1', '20240102', '0.1.0'], '0.1.0'],
  [semver('>=1.2, <2'), ['1.2.0', '1.9.9', '2.0.0'], '1.9.9'],
  [semver('*'), ['1.0.0', 'v1.0.0'], 'v1.0.0'],
  [text('asc'), ['a', 'c', 'b'], 'c'],
  [text('desc'), ['a', 'c', 'b'], 'a'],
  [text('asc'), ['a', 'Z'], 'a'],
  [number('asc'), ['1', '10', '9'], '10'],
  [number('desc'), ['1', '-10', '9'], '-10'],
  [number('asc'), ['1_000', '0x1p4', '.5', '1e2'], '1_000'],
  [number('asc'), ['1.0', '1.00', '1'], '1.00'],
])('%j of %j is %s', (rule, tags, expected) => {
  expect(choose(rule, tags)).toBe(expected);
  expect(choose(rule, tags.toReversed())).toBe(expected);
});

test.each<readonly [Rule, readonly string[], string]>([
  [number('asc'), ['1', 'latest'], "failed to parse invalid numeric value 'latest'"],
  [number('asc'), ['1e999'], "failed to parse invalid numeric value '1e999'"],
  [number('asc'), ['0x10'], "failed to parse invalid numeric value '0x10'"],
  [semver('>=3'), ['1.0.0'], 'unable to determine latest version from provided list'],
  [semver('>=3'), [], 'version list argument cannot be empty'],
])('%j of %j: %s', (rule, tags, message) => {
  expect(choose(rule, tags)).toEqual({ is: 'none', message });
});

test('a wrong range or pattern is the policy’s own mistake', () => {
  expect(choose(semver('not a range'), ['1.0.0'])).toMatchObject({ is: 'invalid' });
  expect(choose(semver(''), ['1.0.0'])).toMatchObject({ is: 'invalid' });
  expect(choose(text('asc'), ['a'], { pattern: '(?=a)', extract: '' })).toMatchObject({ is: 'invalid' });
});

test('the pattern filters, the extract orders, and the original tag is the result', () => {
  const tags = ['main-aaaa-1', 'main-bbbb-10', 'main-cccc-9', 'dev-dddd-99', 'latest'];
  const filter = { pattern: '^main-[a-f]+-(?P<n>[0-9]+)$', extract: '$n' };
  expect(choose(number('asc'), tags, filter)).toBe('main-bbbb-10');
  expect(choose(text('asc'), tags, { pattern: '^main-', extract: '' })).toBe('main-cccc-9');
  expect(choose(text('asc'), ['x'], { pattern: '^main-', extract: '' })).toMatchObject({ is: 'none' });
  expect(choose(semver('*'), ['1.0.0-alpine', '2.0.0'], { pattern: '^(.*)-alpine$', extract: '$1' })).toBe('1.0.0-alpine');
});

test('of equal values the last tag in byte order wins, whatever the order of the list', () => {
  const filter = { pattern: '^[a-z]+-([0-9]+)$', extract: '$1' };
  fc.assert(
    fc.property(fc.shuffledSubarray(['a-5', 'b-5', 'c-5', 'd-4', 'e-3'], { minLength: 1 }), (tags) => {
      const fives = tags.filter((one) => one.endsWith('5')).toSorted();
      const expected = fives.at(-1) ?? tags.toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)).at(-1);
      expect(choose(number('asc'), tags, filter)).toBe(expected);
    }),
  );
});

const tagText = fc.oneof(
  fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20), fc.constantFrom('', '-rc.1', '-alpha')).map(([a, b, c, pre]) => `${a}.${b}.${c}${pre}`),
  fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,12}$/),
  fc.nat(1_000_000).map(String),
);
const anyRule = fc.constantFrom<Rule>(
  semver('>=1.0.0'),
  semver('*'),
  semver('>=0.0.0-0'),
  text('asc'),
  text('desc'),
  number('asc'),
  number('desc'),
);

test('the choice depends on the set of tags alone, every loser is told why, and a chosen tag stays chosen among fewer', () => {
  fc.assert(
    fc.property(anyRule, fc.uniqueArray(tagText, { maxLength: 40 }), fc.nat(), (rule, tags, seed) => {
      const losses = new Map<string, Loss>();
      const first = selectTag({ rule, filter: null, patterns }, tags, (tag, loss) => losses.set(tag, loss));
      const rotated = tags.map((_, index) => tags[(index + seed) % tags.length] ?? '');
      const second = selectTag({ rule, filter: null, patterns }, rotated);
      expect(second.is).toBe(first.is);
      if (first.is !== 'chosen') return;
      expect(second).toEqual(first);
      expect([...losses.keys(), first.tag].toSorted()).toEqual(tags.toSorted());
      const without = tags.filter((one) => one === first.tag || losses.get(one)?.why !== 'beaten');
      expect(selectTag({ rule, filter: null, patterns }, without)).toEqual(first);
    }),
    { numRuns: 500 },
  );
});

test('10,000 tags are judged within the time of one page of the registry', () => {
  const tags = Array.from({ length: 10_000 }, (_, index) => `1.${index % 100}.${Math.floor(index / 100)}`);
  const startMs = performance.now();
  expect(choose(semver('>=1.0.0'), tags)).toBe('1.99.99');
  expect(choose(number('asc'), tags, { pattern: '^1\\.([0-9]+)\\.([0-9]+)$', extract: '$1.$2' })).toBe('1.99.99');
  expect(performance.now() - startMs).toBeLessThan(3_000);
});

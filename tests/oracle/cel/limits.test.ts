import { expect, test } from 'vitest';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { compileCondition, createEvaluator, holds, namesOf, parseRule } from '#core/cel/expression.ts';
import type { JsonObject } from '#core/json.ts';

function answer(source: string, object: JsonObject = {}): unknown {
  const parsed = parseRule(source);
  if (parsed.is === 'invalid') return `invalid ${parsed.message}`;
  const evaluator = createEvaluator(createPatterns());
  const given = holds(parsed.expression, namesOf(object, evaluator), evaluator);
  return given.is === 'value' ? given.value : given.message;
}

const refused: readonly (readonly [source: string, message: RegExp])[] = [
  ['', /^at character 1: unexpected end of the expression$/],
  ["status.phase = 'Running'", /^at character 14: unexpected character "="$/],
  ["status.phase == 'Running", /^at character 17: a text that does not end$/],
  ['has(status)', /^at character 1: has\(\) takes a field/],
  ['status.conditions.exists(c.type, true)', /^at character 28: the first argument must be a plain name$/],
  ['99999999999999999999 == 1', /^at character 1: 99999999999999999999 does not fit/],
  [`${'('.repeat(60)}1${')'.repeat(60)}`, /nested deeper than 50/],
  [`${'['.repeat(60)}1${']'.repeat(60)}`, /nested deeper than 50/],
  [`${'!'.repeat(60)}true`, /nested deeper than 50/],
  [Array.from({ length: 60 }, () => '1').join(' + '), /more than 50 operators in a row/],
  [`a${'.b'.repeat(60)}`, /more than 50 parts in a row/],
  [`[${'1,'.repeat(2_500)}1]`, /more than 2000 parts/],
  [`'${'x'.repeat(9_000)}' == ''`, /longer than 8192 characters/],
];
test.each(refused.map(([source, message]) => [source.slice(0, 40), source, message] as const))(
  '%s is refused with its place',
  (_shown, source, message) => {
    const parsed = parseRule(source);
    expect(parsed.is === 'invalid' ? parsed.message : '').toMatch(message);
  },
);

const list = Array.from({ length: 2_000 }, (_one, index) => `item-${index}`);
const costly: readonly (readonly [what: string, source: string, object: JsonObject])[] = [
  ['loops in loops', 'list.all(a, list.all(b, list.all(c, true)))', { list }],
  ['a text that doubles', `['x']${'.map(a, a + a)'.repeat(40)}.exists(a, a == 'y')`, {}],
  ['a list that doubles', `[[1, 2]]${'.map(a, a + a)'.repeat(40)}.exists(a, a == [])`, {}],
  ['a replacement that grows', `['x']${".map(a, a.replace('', 'yyyyyyyyyyyyyyyyyyyyyyyy'))".repeat(20)} == []`, {}],
  ['a pattern over a long text', "text.matches('(a*)*b') || true && text.matches('(x+x+)+y')", { text: 'x'.repeat(900_000) }],
  ['a big object', 'big.size() > 0', { big: Array.from({ length: 1_100_000 }, () => 1) }],
];
test.each(costly)('%s ends at the limit of steps, soon', (_what, source, object) => {
  const before = performance.now();
  expect(answer(source, object)).toMatch(/takes more than 1000000 steps|too big/);
  expect(performance.now() - before).toBeLessThan(5_000);
});

test('a pattern that backtracks elsewhere is answered at once', () => {
  expect(answer("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')")).toBe(false);
});

test('names of prototypes are no fields', () => {
  expect(answer('has(status.constructor) || has(status.__proto__) || has(status.toString)', { status: {} })).toBe(false);
  expect(answer('constructor == 1')).toBe('no such attribute: constructor');
});

test('an integer that JavaScript cannot hold stays exact', () => {
  expect(answer('big == 9007199254740993 && big + 1 == 9007199254740994', { big: 9_007_199_254_740_993n })).toBe(true);
});

test('a compiled condition knows its names alone and must be a bool', () => {
  const message = (source: string): string => {
    const parsed = compileCondition(source, ['self', 'dep']);
    return parsed.is === 'invalid' ? parsed.message : 'good';
  };
  expect(message('dep.status.ready == self.status.ready')).toBe('good');
  expect(message('dep.status.ready')).toBe('at character 1: the result must be of type bool, not dyn');
  expect(message('other.ready == true')).toBe("at character 1: undeclared reference to 'other'");
  expect(message('dep.kind == "a" && exec("x")')).toBe("at character 20: undeclared reference to 'exec'");
});

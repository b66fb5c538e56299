import { expect, test } from 'vitest';
import { expand } from '#core/patterns.ts';
import { patterns } from './patterns.ts';

function made(pattern: string, template: string, text: string): string | null {
  const compiled = patterns.compile(pattern);
  if (typeof compiled === 'string') throw new Error(compiled);
  const match = compiled.find(text);
  return match === null ? null : expand(template, match);
}

// What regexp.Expand of Go 1.26 answers for pattern ^(?P<ts>[0-9]+)-(v[0-9]+)(x)?$ on 42-v7.
test.each([
  ['$ts', '42'],
  ['${ts}', '42'],
  ['$1', '42'],
  ['${1}x', '42x'],
  ['$1x', ''],
  ['$2.$1', 'v7.42'],
  ['$0', '42-v7'],
  ['$3', ''],
  ['$9', ''],
  ['$none', ''],
  ['$$ts', '$ts'],
  ['$', '$'],
  ['${', '${'],
  ['${ts', '${ts'],
  ['${}', '${}'],
  ['$-', '$-'],
  ['a$ts-b', 'a42-b'],
  ['$tsx', ''],
  ['$01', ''],
])('expand %s is %s', (template, expected) => {
  expect(made('^(?P<ts>[0-9]+)-(v[0-9]+)(x)?$', template, '42-v7')).toBe(expected);
});

test('a pattern is found anywhere unless it says otherwise', () => {
  expect(made('b+', '$0', 'abba')).toBe('bb');
  expect(made('^b', '$0', 'abba')).toBeNull();
});

test('what JavaScript knows and RE2 does not is refused with a sentence', () => {
  for (const pattern of ['(?=a)', '(a)\\1', '(', '[', '(?<!a)b']) expect(typeof patterns.compile(pattern)).toBe('string');
  expect(patterns.compile('a'.repeat(1_001))).toBe('has more than 1000 characters');
  expect(typeof patterns.compile('((a{1,100}){1,100}){1,100}')).toBe('string');
});

test('an evil pattern answers at once', () => {
  const compiled = patterns.compile('^(a+)+$');
  if (typeof compiled === 'string') throw new Error(compiled);
  const startMs = performance.now();
  expect(compiled.test(`${'a'.repeat(50_000)}!`)).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});

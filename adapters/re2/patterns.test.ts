import { expect, test } from 'vitest';
import { expand } from '#core/patterns.ts';
import { createPatterns } from './patterns.ts';

const patterns = createPatterns();
const compile = (pattern: string) => patterns.compile(pattern);

test.each([
  ['-rc\\.', 'v1.0.0-rc.1', true],
  ['^v[0-9]+$', 'v1.0', false],
  ['(?i)RELEASE', 'my-release', true],
  ['(?P<build>[0-9]+)-prod$', '17-prod', true],
  ['', 'anything', true],
])('%s is looked for in %s as Go does', (pattern, text, found) => {
  const compiled = patterns.compile(pattern);
  expect(compiled.is === 'pattern' && compiled.isIn(text)).toBe(found);
});

test.each(['(?=x)', '(', 'a{2000}', '\\1', 'x'.repeat(1_025)])('%s is no pattern', (pattern) => {
  expect(patterns.compile(pattern)).toMatchObject({ is: 'invalid', message: expect.stringMatching(/./) });
});

test('a pattern that would backtrack answers at once', () => {
  const compiled = patterns.compile('^(a+)+$');
  const startMs = performance.now();
  expect(compiled.is === 'pattern' && compiled.isIn(`${'a'.repeat(50_000)}!`)).toBe(false);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});

function made(pattern: string, template: string, text: string): string | null {
  const compiled = compile(pattern);
  if (compiled.is === 'invalid') throw new Error(compiled.message);
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

test('a repeat of repeats is refused', () => {
  expect(compile('((a{1,100}){1,100}){1,100}')).toMatchObject({ is: 'invalid' });
});

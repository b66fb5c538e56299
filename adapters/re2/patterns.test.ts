import { expect, test } from 'vitest';
import { createPatterns } from './patterns.ts';

const patterns = createPatterns();

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

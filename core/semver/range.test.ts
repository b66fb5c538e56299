import { expect, test } from 'vitest';
import corpus from '#tests/oracle/semver/corpus.json' with { type: 'json' };
import { isInRange, parseRange } from './range.ts';
import { compareVersions, parseStrictVersion, parseVersion } from './version.ts';

function rowOf(text: string): string | null {
  const range = parseRange(text);
  if (range === null) return null;
  return corpus.versions.map((one) => character(one, (version) => (isInRange(range, version) ? '1' : '0'))).join('');
}

function character(text: string, ask: (version: NonNullable<ReturnType<typeof parseVersion>>) => string): string {
  const version = parseVersion(text);
  return version === null ? 'x' : ask(version);
}

test.each(corpus.ranges.map(([text, row]) => ({ text, row })))('range "$text" answers as Masterminds does', ({ text, row }) => {
  expect(rowOf(text ?? '')).toBe(row);
});

test('the corpus is at least as large as the contract asks', () => {
  expect(corpus.ranges.length).toBeGreaterThanOrEqual(46);
  expect(corpus.versions.length).toBeGreaterThanOrEqual(39);
});

test('versions are ordered as Masterminds orders them', () => {
  const rows = corpus.versions.map((left) =>
    corpus.versions
      .map((right) => character(left, (one) => character(right, (other) => '<=>'.charAt(compareVersions(one, other) + 1))))
      .join(''),
  );
  expect(rows).toEqual(corpus.order);
});

test('strict versions need three numbers without leading zeros', () => {
  expect(corpus.versions.map((text) => (parseStrictVersion(text) === null ? '0' : '1')).join('')).toBe(corpus.strict);
});

test('a long evil range answers at once', () => {
  const evil = `${'1 \t \t '.repeat(80)}!`.slice(0, 512);
  const startMs = performance.now();
  expect(parseRange(evil)).toBeNull();
  expect(performance.now() - startMs).toBeLessThan(200);
});

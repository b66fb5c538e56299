import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { revisionOf } from './revision.ts';

const of = (...pairs: readonly (readonly [string, string])[]) => revisionOf(pairs.map(([key, etag]) => ({ key, etag, sizeBytes: 1 })));

test('one line per object, keys in byte order', () => {
  const text = 'Z e1\na/b e2\n\uffee e3\n\u{1f600} e4\n';
  const wanted = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  expect(of(['\u{1f600}', 'e4'], ['a/b', 'e2'], ['\uffee', 'e3'], ['Z', 'e1'])).toBe(wanted);
});

test('an empty bucket has the digest of nothing', () => {
  expect(of()).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('the index that the tests of Flux’s digester use', () => {
  expect(of(['foo', 'bar'], ['bar', 'baz'])).toBe(`sha256:${createHash('sha256').update('bar baz\nfoo bar\n').digest('hex')}`);
});

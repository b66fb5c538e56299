import { expect, test } from 'vitest';
import { checkFilePaths } from './entry-path.ts';

test.each([
  ['an empty one', ['']],
  ['a dot', ['.']],
  ['a dot inside', ['a/./b']],
  ['a leading dot', ['./a']],
  ['one that climbs', ['..']],
  ['one that climbs later', ['a/../../b']],
  ['an absolute one', ['/etc/passwd']],
  ['NUL', ['a\0b']],
  ['half a surrogate pair', ['a\ud800']],
  ['empty parts', ['a//b']],
  ['a folder', ['a/']],
  ['the same twice', ['a', 'a']],
  ['a file below a file', ['a', 'a/b']],
  ['a file above a file', ['a/b', 'a']],
  ['letter case', ['A.yaml', 'a.yaml']],
  ['letter case of folders', ['Dir/a', 'dir/b']],
  ['Unicode forms', ['\u00e9', 'e\u0301']],
])('refuses %s', (_what, paths) => {
  expect(() => checkFilePaths(paths)).toThrow(expect.objectContaining({ code: 'badRequest' }));
});

test('refuses what no file system takes', () => {
  expect(() => checkFilePaths(['n'.repeat(256)])).toThrow(expect.objectContaining({ code: 'artifactTooLarge' }));
  expect(() => checkFilePaths([Array.from({ length: 3_000 }, () => 'n').join('/')])).toThrow(
    expect.objectContaining({ code: 'artifactTooLarge' }),
  );
});

test('takes ordinary ones, odd names included', () => {
  expect(() => checkFilePaths(['a', 'b/c', 'b/d', '__proto__', '...', 'ü mlaut/%2e%2e', 'b/c\\d'])).not.toThrow();
});

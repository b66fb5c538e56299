import { expect, test } from 'vitest';
import { setAtPath, TargetPathError } from './target-path.ts';

test.each([
  ['a', '1', { a: 1 }],
  ['a.b', 'x', { a: { b: 'x' } }],
  ['a\\.b', 'x', { 'a.b': 'x' }],
  ['a[0]', 'x', { a: ['x'] }],
  ['a[1].b', 'x', { a: [null, { b: 'x' }] }],
  ['a[0][1]', 'x', { a: [[null, 'x']] }],
  ['a', '{x,2,true}', { a: ['x', 2, true] }],
  ['a', '{}', { a: [] }],
  ['a', 'true', { a: true }],
  ['a', 'null', { a: null }],
  ['a', '0', { a: 0 }],
  ['a', '007', { a: '007' }],
  ['a', '1.5', { a: '1.5' }],
  ['a', '9223372036854775807', { a: 9223372036854775807n }],
  ['a', '9223372036854775808', { a: '9223372036854775808' }],
  ['a', 'x\\,y', { a: 'x,y' }],
  ['a', '1,b.c=2', { a: 1, b: { c: 2 } }],
  ['a', "'1'", { a: '1' }],
  ['a', '"true"', { a: 'true' }],
  ['a', '', { a: '' }],
  ['a', 'k=v', { a: 'k=v' }],
] as const)('%s = %s', (path, value, expected) => {
  expect(setAtPath({}, path, value, false)).toEqual(expected);
});

test('a literal is taken as it is, and everything else stays', () => {
  expect(setAtPath({ a: { b: 1, c: 2 } }, 'a.b', '{1,2}', true)).toEqual({ a: { b: '{1,2}', c: 2 } });
});

test.each([
  ['a..b', 'x', 'empty part'],
  ['.a', 'x', 'empty part'],
  ['a[x]', '1', 'no number'],
  ['a[65537]', '1', 'above 65536'],
  ['[0]', 'x', 'begins with an index'],
  ['a', '{x', 'closing brace'],
  ['a', 'x,secret', 'comma'],
  ['__proto__.x', '1', 'not allowed'],
])('%s = %s is refused without quoting the value', (path, value, why) => {
  expect(() => setAtPath({}, path, value, false)).toThrow(TargetPathError);
  expect(() => setAtPath({}, path, value, false)).toThrow(why);
  expect(() => setAtPath({}, path, value, false)).not.toThrow('secret');
});

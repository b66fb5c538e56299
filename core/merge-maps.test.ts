import { expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { mergeMaps } from './merge-maps.ts';

test('maps are merged, lists and null replace', () => {
  expect(mergeMaps({ a: { b: 1, c: 2 }, l: [1], n: { x: 1 } }, { a: { b: 3 }, l: [2], n: null })).toEqual({
    a: { b: 3, c: 2 },
    l: [2],
    n: null,
  });
});

test('a key that means a prototype is a key like any other', () => {
  const over: JsonObject = JSON.parse('{"__proto__": {"polluted": true}}');
  const merged = mergeMaps({ a: 1 }, over);
  expect(Object.keys(merged)).toEqual(['a', '__proto__']);
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  expect(merged['polluted']).toBe(undefined);
});

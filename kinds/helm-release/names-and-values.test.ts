import { expect, test } from 'vitest';
import { placeOf, releaseNameOf } from './place.ts';
import { atPointer, withPointer } from './pointers.ts';
import type { HelmReleaseSpec } from './schema.ts';

const spec: HelmReleaseSpec = { interval: '1m', chartRef: { kind: 'HelmChart', name: 'web' } };

test('a release name is the definition’s, behind the target namespace, and is cut with a hash when it is too long', () => {
  expect(releaseNameOf({ name: 'web' }, spec)).toBe('web');
  expect(releaseNameOf({ name: 'web' }, { ...spec, targetNamespace: 'apps' })).toBe('apps-web');
  expect(releaseNameOf({ name: 'web' }, { ...spec, targetNamespace: 'apps', releaseName: 'x' })).toBe('x');
  const long = releaseNameOf({ name: 'a'.repeat(60) }, spec);
  expect(long).toMatch(/^a{40}-[0-9a-f]{12}$/);
  expect(long).not.toBe(releaseNameOf({ name: 'a'.repeat(61) }, spec));
});

test.each([
  ['its own namespace, when it is granted', {}, ['team', 'apps'], { name: 'web', namespace: 'team' }],
  ['the only one that is', {}, ['apps'], { name: 'web', namespace: 'apps' }],
  ['the one that is asked for', { targetNamespace: 'b' }, ['a', 'b'], { name: 'b-web', namespace: 'b' }],
  ['no limit on a private cluster', { targetNamespace: 'x' }, [], { name: 'x-web', namespace: 'x' }],
  ['none: which one is not said', {}, ['a', 'b'], { problem: 'set spec.targetNamespace to one of a, b' }],
  ['none: a foreign one', { targetNamespace: 'kube-system' }, ['a'], { problem: expect.stringContaining('not granted') }],
] as const)('a release lies in %s', (_name, change, granted, expected) => {
  expect(placeOf({ name: 'web', namespace: 'team' }, { ...spec, ...change }, granted)).toEqual(expected);
});

test('pointers of RFC 6901 read and set values, escapes and list items included', () => {
  const object = { a: { 'b/c': [1, { d: 2 }] }, 'e~f': 3 };
  expect(atPointer(object, '/a/b~1c/1/d')).toBe(2);
  expect(atPointer(object, '/e~0f')).toBe(3);
  expect(atPointer(object, '/a/x')).toBeUndefined();
  expect(withPointer(object, '/a/b~1c/1/d', 9)).toEqual({ a: { 'b/c': [1, { d: 9 }] }, 'e~f': 3 });
  expect(withPointer(object, '/a/b~1c', undefined)).toEqual({ a: {}, 'e~f': 3 });
  expect(withPointer(object, '/x/y', undefined)).toEqual(object);
});

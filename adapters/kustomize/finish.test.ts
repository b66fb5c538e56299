import { expect, test } from 'vitest';
import type { Manifest } from '#core/ports.ts';
import { finishObjects } from './finish.ts';
import { OBJECT_LIMITS } from './objects.ts';

const none = { commonLabels: {}, commonAnnotations: {} };
const object = (name: string, more: object = {}): Manifest => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more } });

test('lists become their items, in lists of lists too; a kind that only ends in List stays', () => {
  const list: Manifest = {
    apiVersion: 'v1',
    kind: 'List',
    items: [object('a'), { apiVersion: 'v1', kind: 'ConfigMapList', items: [object('b')] }],
  };
  const allow: Manifest = { apiVersion: 'x/v1', kind: 'AllowList', metadata: { name: 'l' } };
  expect(finishObjects([list, allow], none)).toEqual([object('a'), object('b'), allow]);
  expect(() => finishObjects([{ apiVersion: 'v1', kind: 'List', items: ['x'] }], none)).toThrow('an item that is no object');
});

test.each<[string, Manifest]>([
  ['apiVersion', { kind: 'A', metadata: { name: 'a' } }],
  ['kind', { apiVersion: 'v1', metadata: { name: 'a' } }],
  ['metadata.name', { apiVersion: 'v1', kind: 'A', metadata: {} }],
  ['metadata.name', { apiVersion: 'v1', kind: 'A', metadata: { name: 5 } }],
])('an object without %s is refused', (field, broken) => {
  expect(() => finishObjects([object('first'), broken], none)).toThrow(`object 2`);
  expect(() => finishObjects([broken], none)).toThrow(field);
});

test('one object twice is refused, in another version too; another namespace or group is another object', () => {
  expect(() => finishObjects([object('a'), object('a')], none)).toThrow('ConfigMap a stands twice');
  expect(() =>
    finishObjects(
      [
        { ...object('a'), apiVersion: 'x/v1' },
        { ...object('a'), apiVersion: 'x/v2' },
      ],
      none,
    ),
  ).toThrow('twice');
  expect(finishObjects([object('a'), object('a', { namespace: 'n' }), { ...object('a'), apiVersion: 'x/v1' }], none)).toHaveLength(3);
});

test('common metadata wins and leaves the given objects as they were', () => {
  const given = object('a', { labels: { team: 'own', kept: 'yes' } });
  expect(finishObjects([given], { commonLabels: { team: 'all' }, commonAnnotations: { note: 'x' } })[0]?.['metadata']).toEqual({
    name: 'a',
    labels: { team: 'all', kept: 'yes' },
    annotations: { note: 'x' },
  });
  expect(given).toEqual(object('a', { labels: { team: 'own', kept: 'yes' } }));
});

test('more objects than the limit', () => {
  const many = Array.from({ length: OBJECT_LIMITS.maxObjects + 1 }, (_, index) => object(`n${index}`));
  expect(() => finishObjects(many, none)).toThrow(`the limit is ${OBJECT_LIMITS.maxObjects}`);
});

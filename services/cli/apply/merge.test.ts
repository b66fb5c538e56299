import { expect, test } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { LAST_APPLIED, threeWayPatch, withLastApplied } from './merge.ts';

const object = (spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'a' },
  spec: spec as never,
});

test('nothing differs: no patch, whatever the server added', () => {
  const wanted = object({ a: 1 });
  const applied = {
    ...object({ a: 1, defaulted: true }),
    status: { ready: true },
    metadata: { name: 'a', annotations: { [LAST_APPLIED]: JSON.stringify(wanted) } },
  };
  expect(threeWayPatch(applied, wanted)).toBeNull();
});

test('changed and new fields are sent, left out ones are taken away, others’ fields stay', () => {
  const live = { ...withLastApplied(object({ a: 1, gone: { x: 1 }, list: [1] })) };
  const patch = threeWayPatch({ ...live, spec: { a: 1, gone: { x: 1 }, list: [1], theirs: 2 } }, object({ a: 2, list: [1, 2] }));
  expect(patch).toMatchObject({ spec: { a: 2, gone: null, list: [1, 2] } });
  expect(patch?.['spec']).not.toHaveProperty('theirs');
});

test('an object that was never applied gets its annotation and loses nothing', () => {
  const patch = threeWayPatch(object({ a: 1, theirs: 2 }), object({ a: 1 }));
  expect(patch).toEqual({ metadata: { annotations: { [LAST_APPLIED]: expect.stringContaining('"a":1') } } });
});

test('a Secret leaves no copy of its values', () => {
  expect(
    JSON.stringify(withLastApplied({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { k: 'dmFsdWU=' } })),
  ).not.toContain(LAST_APPLIED);
});

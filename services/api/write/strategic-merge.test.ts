import { describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { resource } from '#kinds/service-account/resource.ts';
import { strategicMerge } from './strategic-merge.ts';

const apply = (current: JsonObject, patch: JsonObject): JsonObject => strategicMerge(resource, current, patch);

describe('strategic merge patch', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['maps are merged, null removes', { data: { a: '1', b: '2' } }, { data: { a: null, c: '3' } }, { data: { b: '2', c: '3' } }],
    ['$patch: replace replaces a map', { data: { a: '1' } }, { data: { $patch: 'replace', b: '2' } }, { data: { b: '2' } }],
    ['$patch: delete removes a map', { data: { a: '1' }, x: 1 }, { data: { $patch: 'delete' } }, { x: 1 }],
    [
      '$retainKeys drops the rest',
      { data: { a: '1', b: '2' } },
      { data: { $retainKeys: ['b', 'c'], c: '3' } },
      { data: { b: '2', c: '3' } },
    ],
    [
      'items are merged by their key',
      { secrets: [{ name: 'a' }, { name: 'b' }] },
      { secrets: [{ name: 'c' }, { name: 'a' }] },
      { secrets: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
    ],
    [
      'an item is deleted by its key',
      { secrets: [{ name: 'a' }, { name: 'b' }] },
      { secrets: [{ $patch: 'delete', name: 'a' }] },
      { secrets: [{ name: 'b' }] },
    ],
    ['a list is replaced', { secrets: [{ name: 'a' }] }, { secrets: [{ $patch: 'replace' }, { name: 'z' }] }, { secrets: [{ name: 'z' }] }],
    [
      'other lists are atomic',
      { imagePullSecrets: [{ name: 'a' }] },
      { imagePullSecrets: [{ name: 'b' }] },
      { imagePullSecrets: [{ name: 'b' }] },
    ],
    [
      'finalizers are a set',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c', 'a'] } },
      { metadata: { finalizers: ['a', 'b', 'c'] } },
    ],
    [
      'a finalizer is deleted',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { metadata: { finalizers: ['b'] } },
    ],
    [
      'owners are merged by uid',
      { metadata: { ownerReferences: [{ uid: '1', name: 'x' }] } },
      { metadata: { ownerReferences: [{ uid: '1', name: 'y' }] } },
      { metadata: { ownerReferences: [{ uid: '1', name: 'y' }] } },
    ],
    [
      'the order is set',
      { secrets: [{ name: 'a' }, { name: 'b' }] },
      { '$setElementOrder/secrets': [{ name: 'b' }, { name: 'a' }], secrets: [] },
      { secrets: [{ name: 'b' }, { name: 'a' }] },
    ],
  ])('%s', (_what, current, patch, result) => {
    const input = structuredClone(current);
    expect(apply(current, patch)).toEqual(result);
    expect(current, 'the input is untouched').toEqual(input);
  });

  it('refuses what it does not know', () => {
    expect(() => apply({}, { data: { $patch: 'swap' } })).toThrow(/unknown \$patch directive/);
    expect(() => apply({}, { secrets: [{ nam: 'a' }] })).toThrow(/merge key name/);
  });
});

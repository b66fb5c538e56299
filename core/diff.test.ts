import { describe, expect, test } from 'vitest';
import { fieldChanges } from './diff.ts';

describe('two states of an object', () => {
  test('differ in the fields that somebody wrote, not in what every write moves', () => {
    const from = {
      kind: 'ConfigMap',
      metadata: { name: 'a', resourceVersion: '1', annotations: { 'weir.dev/fence': '1' } },
      data: { a: '1', b: '2' },
      status: { x: 1 },
    };
    const to = {
      kind: 'ConfigMap',
      metadata: { name: 'a', resourceVersion: '2', annotations: { 'weir.dev/fence': '9' } },
      data: { a: '1', b: '3', c: '4' },
    };
    expect(fieldChanges(from, to)).toEqual([
      { path: 'data.b', from: '2', to: '3' },
      { path: 'data.c', from: null, to: '4' },
    ]);
  });

  test('name the place in a list of the same length, and the whole list otherwise', () => {
    expect(
      fieldChanges({ spec: { list: [{ image: 'a' }, { image: 'b' }] } }, { spec: { list: [{ image: 'a' }, { image: 'c' }] } }),
    ).toEqual([{ path: 'spec.list[1].image', from: 'b', to: 'c' }]);
    expect(fieldChanges({ spec: { list: [1] } }, { spec: { list: [1, 2] } })).toEqual([{ path: 'spec.list', from: [1], to: [1, 2] }]);
  });
});

test('the plane’s own fence, alone among the annotations, is no difference', () => {
  expect(fieldChanges({ metadata: { name: 'a', annotations: { 'weir.dev/fence': '3' } } }, { metadata: { name: 'a' } })).toEqual([]);
});

describe('a Secret', () => {
  const canary = 'Y2FuYXJ5';

  test('shows which key changed and never a value', () => {
    const changes = fieldChanges(
      { kind: 'Secret', data: { token: canary } },
      { kind: 'Secret', data: { token: 'b3RoZXI=', more: canary }, type: 'Opaque' },
    );
    expect(changes).toEqual([
      { path: 'data.more', from: null, to: '(value hidden)' },
      { path: 'data.token', from: '(value hidden)', to: '(value hidden)' },
      { path: 'type', from: null, to: 'Opaque' },
    ]);
  });

  test('that is new as a whole shows nothing of its content', () => {
    expect(JSON.stringify(fieldChanges(null, { kind: 'Secret', data: { token: canary } }))).not.toContain(canary);
  });
});

import { expect, test } from 'vitest';
import type { BuildSpec } from '#core/ports.ts';
import { mergeSpec } from './merge-spec.ts';

const plain: BuildSpec = {
  targetNamespace: null,
  namePrefix: null,
  nameSuffix: null,
  patches: [],
  images: [],
  components: [],
  ignoreMissingComponents: false,
  buildMetadata: null,
  commonLabels: {},
  commonAnnotations: {},
};
const merge = (original: object, build: Partial<BuildSpec>): unknown =>
  mergeSpec(JSON.parse(JSON.stringify(original)), { ...plain, ...build }, 'k', (component) => component === 'there');

test('nothing in the spec changes nothing but the header', () => {
  expect(merge({ resources: ['a'] }, {})).toEqual({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['a'],
  });
});

test('lists grow, single values are replaced', () => {
  expect(
    merge(
      { patches: [{ path: 'p' }], components: ['c'], namespace: 'old' },
      { patches: [{ patch: 'x' }], components: ['d'], targetNamespace: 'new' },
    ),
  ).toMatchObject({ patches: [{ path: 'p' }, { patch: 'x' }], components: ['c', 'd'], namespace: 'new' });
});

test('missing components are left out only when that is allowed', () => {
  expect(merge({}, { components: ['there', 'gone'], ignoreMissingComponents: true })).toMatchObject({ components: ['there'] });
  expect(merge({}, { components: ['there', 'gone'] })).toMatchObject({ components: ['there', 'gone'] });
});

test('images: tag and digest are one unit', () => {
  const file = {
    images: [
      { name: 'a', newName: 'x', newTag: '1' },
      { name: 'b', digest: 'sha256:1', tagSuffix: '-s' },
    ],
  };
  expect(
    merge(file, {
      images: [
        { name: 'a', digest: 'sha256:2' },
        { name: 'b', newName: 'y' },
        { name: 'c', newTag: '3', digest: 'sha256:3' },
      ],
    }),
  ).toMatchObject({
    images: [
      { name: 'a', newName: 'x', digest: 'sha256:2' },
      { name: 'b', newName: 'y', digest: 'sha256:1', tagSuffix: '-s' },
      { name: 'c', digest: 'sha256:3' },
    ],
  });
});

test('a list that is none is refused with file and field', () => {
  expect(() => merge({ patches: 'p' }, { patches: [{ patch: 'x' }] })).toThrow('k: patches is no list');
});

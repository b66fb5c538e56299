import { describe, expect, test } from 'vitest';
import type { Manifest } from '#core/ports.ts';
import { desiredObjects } from './desired.ts';

const owner = { name: 'web', namespace: 'team-a', deliveryId: 'd-1' };

function config(name: string, namespace?: string, annotations?: Record<string, string>): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(annotations === undefined ? {} : { annotations }) },
  };
}

function desired(objects: readonly Manifest[], granted: readonly string[] = ['apps-a'], force = false) {
  return desiredObjects(
    objects,
    owner,
    { definitionNamespace: 'team-a', granted, clusterName: 'north', isNamespaced: (_version, kind) => kind !== 'Namespace' },
    { force },
  );
}

describe('the namespace of an object that names none', () => {
  test.each([
    [['apps-a'], 'apps-a'],
    [['team-a', 'apps-a'], 'team-a'],
    [[], 'team-a'],
  ])('granted %o: %s', (granted, expected) => {
    expect(desired([config('one')], granted)[0]?.ref.namespace).toBe(expected);
  });

  test('is asked for when several are granted', () => {
    expect(() => desired([config('one')], ['apps-a', 'jobs-a'])).toThrow(
      'ConfigMap/one names no namespace: set metadata.namespace, or spec.targetNamespace to one of apps-a, jobs-a',
    );
  });

  test('is left empty for a cluster-wide kind', () => {
    expect(desired([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps-a' } }])[0]?.id).toBe('_apps-a__Namespace');
  });
});

describe('what is refused before any request', () => {
  test('an object in a namespace that is not granted', () => {
    expect(() => desired([config('one', 'apps-b')])).toThrow(
      'ConfigMap/apps-b/one: namespace apps-b of cluster north is not granted to this tenant (granted: apps-a)',
    );
  });

  test('two objects with one identity', () => {
    expect(() => desired([config('one', 'apps-a'), config('one')])).toThrow('ConfigMap/apps-a/one is there twice');
  });
});

describe('what is sent', () => {
  test('carries owner labels and the delivery label, and its digest moves with the content alone', () => {
    const [one] = desired([config('one')]);
    expect(one?.manifest).toMatchObject({
      metadata: {
        namespace: 'apps-a',
        labels: {
          'kustomize.toolkit.fluxcd.io/name': 'web',
          'kustomize.toolkit.fluxcd.io/namespace': 'team-a',
          'weir.dev/delivery': 'd-1',
        },
      },
    });
    expect(desired([config('one')])[0]?.digest).toBe(one?.digest);
    expect(desired([config('one', 'apps-a', { note: 'x' })])[0]?.digest).not.toBe(one?.digest);
  });

  test.each([
    ['ssa', 'Merge', 'Merge'],
    ['ssa', 'IfNotPresent', 'IfNotPresent'],
    ['ssa', 'ignore', 'Ignore'],
    ['ssa', 'nonsense', 'Override'],
  ])('annotation %s: %s gives mode %s', (key, value, mode) => {
    expect(desired([config('one', 'apps-a', { [`kustomize.toolkit.fluxcd.io/${key}`]: value })])[0]?.mode).toBe(mode);
  });

  test('is recreated on immutable changes when the spec or the object says so', () => {
    expect(desired([config('one')], ['apps-a'], true)[0]?.recreate).toBe(true);
    expect(desired([config('one', 'apps-a', { 'kustomize.toolkit.fluxcd.io/force': 'Enabled' })])[0]?.recreate).toBe(true);
    expect(desired([config('one')])[0]?.recreate).toBe(false);
  });
});

import { expect, test } from 'vitest';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { ignoredPointers, invalidTarget } from '#kinds/helm-release/ignored.ts';
import type { HelmReleaseSpec } from '#kinds/helm-release/schema.ts';

const patterns = createPatterns();
const object = {
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' },
  manifest: { metadata: { labels: { app: 'web', tier: 'front' }, annotations: { 'example.com/owner': 'autoscaler' } } },
};
type Target = NonNullable<NonNullable<NonNullable<HelmReleaseSpec['driftDetection']>['ignore']>[number]['target']>;
const specOf = (target: Target): HelmReleaseSpec => ({
  interval: '1m',
  chartRef: { kind: 'HelmChart', name: 'web' },
  driftDetection: { mode: 'enabled', ignore: [{ paths: ['/spec/replicas'], target }] },
});

test.each([
  [{ labelSelector: 'app=web' }, true],
  [{ labelSelector: 'app==web,tier in (front, back)' }, true],
  [{ labelSelector: 'tier notin (back),!absent,app' }, true],
  [{ labelSelector: 'app!=web' }, false],
  [{ labelSelector: 'absent' }, false],
  [{ labelSelector: '' }, true],
  [{ annotationSelector: 'example.com/owner=autoscaler' }, true],
  [{ annotationSelector: 'example.com/owner=somebody' }, false],
  [{ labelSelector: 'app=web', annotationSelector: '!example.com/owner' }, false],
  [{ labelSelector: 'app=web', kind: 'StatefulSet' }, false],
  [{ labelSelector: 'app=web', kind: 'Deploy.*', name: 'web' }, true],
] as const)('an ignore rule for %j holds for an object whose labels and annotations fit: %s', (target, holds) => {
  expect(invalidTarget(patterns, specOf(target))).toBe(null);
  expect(ignoredPointers(patterns, specOf(target), object)).toEqual(holds ? ['/spec/replicas'] : []);
});

test('an object without metadata fits what asks for nothing', () => {
  expect(ignoredPointers(patterns, specOf({ labelSelector: '!app' }), { ...object, manifest: {} })).toEqual(['/spec/replicas']);
  expect(ignoredPointers(patterns, specOf({ labelSelector: 'app' }), { ...object, manifest: { metadata: null } })).toEqual([]);
});

test.each([
  ['labelSelector', 'a in (b'],
  ['labelSelector', 'a=b=c'],
  ['annotationSelector', 'not/a/key'],
  ['annotationSelector', ',,'],
] as const)('a %s that is none, %j, is said by its place', (key, text) => {
  expect(invalidTarget(patterns, specOf({ [key]: text }))).toContain(`spec.driftDetection.ignore[0].target.${key}: `);
});

import { expect, test } from 'vitest';
import { deliveryName } from './delivery-name.ts';

const cluster = { clusterName: 'prod', clusterId: '11111111-1111-4111-8111-111111111111' };

test('a delivery is named after kind, definition and cluster', () => {
  expect(deliveryName({ kind: 'Kustomization', definition: 'apps', ...cluster })).toBe('kustomization.apps.prod');
});

test('a name that is too long, or taken, is hashed, fits, and stays the same', () => {
  const long = { kind: 'Kustomization', definition: `${'a'.repeat(240)}.b`, ...cluster };
  const name = deliveryName(long);
  expect(name.length).toBeLessThanOrEqual(253);
  expect(name).toMatch(/^kustomization\.a+-[0-9a-f]{10}$/);
  expect(deliveryName(long)).toBe(name);
  expect(deliveryName({ ...long, clusterId: '21111111-1111-4111-8111-111111111111' })).not.toBe(name);
  expect(deliveryName({ kind: 'Kustomization', definition: 'apps', ...cluster }, true)).toMatch(/^kustomization\.apps\.prod-[0-9a-f]{10}$/);
});

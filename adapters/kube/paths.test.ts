import { expect, test } from 'vitest';
import { outsideGrant } from '#adapters/kube/grant.ts';
import { isNewer } from '#adapters/kube/meta.ts';
import { apiPath, collectionPath, objectPath, type ResourceType, splitApiVersion } from '#adapters/kube/paths.ts';

const type = (group: string, plural: string, namespaced: boolean): ResourceType => ({
  group,
  version: 'v1',
  kind: 'K',
  plural,
  namespaced,
  verbs: [],
});

test('paths of core and grouped kinds, namespaced and not', () => {
  expect(objectPath(type('', 'configmaps', true), 'a', 'b')).toBe('/api/v1/namespaces/a/configmaps/b');
  expect(objectPath(type('apps', 'deployments', true), 'a', 'b')).toBe('/apis/apps/v1/namespaces/a/deployments/b');
  expect(objectPath(type('', 'namespaces', false), '', 'b')).toBe('/api/v1/namespaces/b');
  expect(collectionPath(type('rbac.authorization.k8s.io', 'clusterroles', false), '')).toBe(
    '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  );
  // Names keep their case: RBAC names may have capitals and colons.
  expect(objectPath(type('', 'roles', true), 'a', 'Team:Edit')).toBe('/api/v1/namespaces/a/roles/Team%3AEdit');
});

test.each(['', '.', '..'])('the segment %j is refused', (segment) => {
  expect(() => apiPath('api', segment)).toThrow('climbs');
});

test.each(['a/b', '../x', 'a?dryRun=All', 'a#b', 'a%2fb', 'a\r\nX: y', 'ä'])('%j stays in its segment', (segment) => {
  const path = apiPath('api', segment);
  expect(path.split('/').length).toBe(3);
  expect(path).toMatch(/^[\x21-\x7e]+$/);
  expect(path).not.toMatch(/[?#]/);
});

test('an apiVersion without a slash is the core group', () => {
  expect(splitApiVersion('v1')).toEqual({ group: '', version: 'v1' });
  expect(splitApiVersion('apps/v1')).toEqual({ group: 'apps', version: 'v1' });
});

test('the grant: inside, outside, cluster-scoped, without namespace, private', () => {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'x' };
  const namespaced = type('', 'configmaps', true);
  expect(outsideGrant(ref, namespaced, 'c', ['a'])).toBe(null);
  expect(outsideGrant(ref, namespaced, 'c', ['b', 'd'])).toBe(
    'ConfigMap a/x: namespace a of cluster c is not granted to this tenant (granted: b, d)',
  );
  expect(outsideGrant(ref, null, 'c', ['b'])).toContain('not granted');
  expect(outsideGrant(ref, type('', 'namespaces', false), 'c', ['b'])).toBe(null);
  expect(outsideGrant({ ...ref, namespace: '' }, namespaced, 'c', ['b'])).toBe('ConfigMap x: it names no namespace');
  expect(outsideGrant(ref, namespaced, 'c', [])).toBe(null);
});

test('versions compare as numbers', () => {
  expect(isNewer('10', '9')).toBe(true);
  expect(isNewer('9', '10')).toBe(false);
  expect(isNewer('18446744073709551615', '18446744073709551614')).toBe(true);
  expect(isNewer('5', '5')).toBe(false);
});

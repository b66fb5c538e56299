import { describe, expect, test } from 'vitest';
import { consequencesOf, REQUESTED_AT } from './consequences.ts';
import { accessOf, allVerbs, type Resource } from './resource.ts';
import { closed } from './schema.ts';
import type { StoredObject } from './store.ts';

function resource(kind: string): Resource {
  return {
    group: 'x',
    version: 'v1',
    kind,
    plural: 'xs',
    singular: 'x',
    shortNames: [],
    categories: [],
    scope: 'Namespaced',
    verbs: allVerbs,
    subresources: [],
    columns: [],
    body: closed({}),
    status: null,
    initialStatus: null,
    access: accessOf({ read: 'viewer', write: 'editor' }),
    platform: 'read',
    finalizer: null,
    fieldSelectors: [],
    secretFields: [],
  };
}
const object: StoredObject = {
  tenantId: '00000000-0000-4000-8000-00000000000a',
  kind: 'Kustomization',
  uid: '00000000-0000-4000-8000-00000000000b',
  namespace: 'team-a',
  name: 'web',
  generation: 1,
  resourceVersion: '7',
  createdAtMs: 0,
  deletingAtMs: null,
  labels: {},
  annotations: {},
  finalizers: [],
  ownerReferences: [],
  managedFields: [],
  body: { spec: {} },
  status: null,
  sealedKeys: [],
  createdBy: '',
};

function of(
  kind: string,
  before: Partial<StoredObject> | null,
  after: Partial<StoredObject> | null,
  unit: 'definition' | 'delivery' | null = 'delivery',
) {
  const make = (change: Partial<StoredObject> | null) => (change === null ? null : { ...object, kind, ...change });
  return consequencesOf({
    resource: resource(kind),
    reconciled: unit === null ? null : { unit },
    before: make(before),
    after: make(after),
  });
}

describe('a reconciled object', () => {
  test.each([
    ['created', null, {}, true, true],
    ['its spec changed', {}, { generation: 2 }, true, true],
    ['deleted with a finalizer', {}, { deletingAtMs: 5 }, true, true],
    ['asked for by annotation', {}, { annotations: { [REQUESTED_AT]: 'now' } }, false, true],
    ['a prune approved', {}, { annotations: { 'weir.dev/approve-prune': 'abc' } }, false, true],
    ['a label changed', {}, { labels: { a: 'b' } }, false, false],
    ['its status changed', {}, { status: { a: 1 } }, false, false],
  ] as const)('%s', (_name, before, after, raiseFence, trigger) => {
    expect(of('Kustomization', before, after)).toMatchObject({ raiseFence, trigger });
  });
});

describe('who is told', () => {
  test('referrers of a created or removed object', () => {
    expect(of('GitRepository', null, {}).outbox).toEqual([
      { what: 'wake', kind: 'GitRepository', namespace: 'team-a', name: 'web', on: 'change' },
    ]);
    expect(of('ConfigMap', {}, null, null).outbox).toHaveLength(1);
  });

  test('referrers of a changed Secret only when it is marked as watched', () => {
    const watched = { labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } };
    expect(of('Secret', {}, { resourceVersion: '8' }, null).outbox).toEqual([]);
    expect(of('Secret', watched, { ...watched, resourceVersion: '8' }, null).outbox).toHaveLength(1);
  });

  test('places of a namespace when a Placement or the default cluster changes', () => {
    expect(of('Placement', {}, { generation: 2 }, 'definition').outbox).toContainEqual({ what: 'places', namespace: 'team-a' });
    expect(
      of('Namespace', {}, { namespace: '', name: 'team-a', annotations: { 'weir.dev/default-cluster': 'one' } }, null).outbox,
    ).toContainEqual({ what: 'places', namespace: 'team-a' });
    expect(of('Namespace', {}, { namespace: '', name: 'team-a', annotations: { note: 'x' } }, null).outbox).toEqual([]);
  });

  test('the grants of a cluster when Cluster, ClusterGrant or ClusterAccount changes', () => {
    expect(of('Cluster', {}, { generation: 2 }, 'definition').outbox).toContainEqual({
      what: 'grants',
      clusterNamespace: 'team-a',
      clusterName: 'web',
    });
    expect(of('ClusterGrant', null, { body: { spec: { cluster: 'one' } } }, null).outbox).toContainEqual({
      what: 'grants',
      clusterNamespace: 'team-a',
      clusterName: 'one',
    });
  });
});

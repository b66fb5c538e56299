import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ClusterAccountBody } from './schema.ts';

/** weir.dev/v1 ClusterAccount, written by an admin of the tenant. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'ClusterAccount',
  plural: 'clusteraccounts',
  singular: 'clusteraccount',
  shortNames: [],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [],
  columns: [
    { name: 'Cluster', type: 'string', jsonPath: '.spec.cluster' },
    { name: 'Account', type: 'string', jsonPath: '{.spec.namespace}/{.spec.serviceAccountName}' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ClusterAccountBody,
  status: null,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'admin' }),
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
});

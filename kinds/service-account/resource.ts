import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ServiceAccountBody } from './schema.ts';

/** core/v1 ServiceAccount with TokenRequest as `/token` (kube-api.md 6.3). */
export const resource = Object.freeze<Resource>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [
    { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'], access: 'admin' },
  ],
  columns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
  body: ServiceAccountBody,
  status: null,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'admin' }),
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
});

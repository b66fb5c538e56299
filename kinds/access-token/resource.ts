import { accessOf, type Resource } from '#core/resource.ts';
import { AccessTokenBody, AccessTokenStatus } from './schema.ts';

/** weir.dev/v1 AccessToken: each member their own, admins all of the tenant. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'AccessToken',
  plural: 'accesstokens',
  singular: 'accesstoken',
  shortNames: [],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: ['get', 'list', 'watch', 'create', 'delete', 'deletecollection'],
  subresources: [],
  columns: [
    { name: 'Prefix', type: 'string', jsonPath: '.status.prefix' },
    { name: 'Description', type: 'string', jsonPath: '.spec.description' },
    { name: 'Expires', type: 'string', jsonPath: '.spec.expiresAt' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: AccessTokenBody,
  status: AccessTokenStatus,
  initialStatus: null,
  access: { ...accessOf({ read: 'own', write: 'own' }), update: 'never', patch: 'never' },
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
});

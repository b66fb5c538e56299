import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { SecretBody } from './schema.ts';

/** core/v1 Secret. Editors write secrets without reading them; platform admins see none (design.md section 4). */
export const resource = Object.freeze<Resource>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [],
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.type', description: 'Used to facilitate programmatic handling of secret data.' },
    { name: 'Data', type: 'integer', jsonPath: '.data', format: 'count', description: 'Number of keys.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: SecretBody,
  status: null,
  initialStatus: null,
  access: accessOf({ read: 'admin', write: 'editor' }),
  platform: 'none',
  finalizer: null,
  fieldSelectors: ['type'],
  secretFields: ['data', 'stringData'],
});

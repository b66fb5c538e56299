import { type Resource, readVerbs } from '#core/resource.ts';
import { DeliveryBody, DeliveryStatus } from './schema.ts';

/** weir.dev/v1 Delivery, read-only: named `<kind>.<definition>.<cluster>`. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'Delivery',
  plural: 'deliveries',
  singular: 'delivery',
  shortNames: [],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: readVerbs,
  subresources: [],
  columns: [
    { name: 'Definition', type: 'string', jsonPath: '{.spec.definition.kind}/{.spec.definition.name}' },
    { name: 'Cluster', type: 'string', jsonPath: '.spec.cluster.name' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Revision', type: 'string', jsonPath: '.status.lastAppliedRevision', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: DeliveryBody,
  status: DeliveryStatus,
  initialStatus: null,
  access: {
    get: 'viewer',
    list: 'viewer',
    watch: 'viewer',
    create: 'never',
    update: 'never',
    patch: 'never',
    delete: 'never',
    deletecollection: 'never',
  },
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
});

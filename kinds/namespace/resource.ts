import { allVerbs, type Resource } from '#core/resource.ts';
import { NamespaceBody, NamespaceStatus } from './schema.ts';

/** core/v1 Namespace (kube-api.md 7.1). Names are allowed by `Tenant.spec.namespaces`; deleting one tears down everything in it. */
export const resource = Object.freeze<Resource>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  scope: 'Cluster',
  verbs: allVerbs.filter((verb) => verb !== 'deletecollection'),
  subresources: [],
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'The status of the namespace' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: NamespaceBody,
  status: NamespaceStatus,
  initialStatus: { phase: 'Active' },
  access: {
    get: 'viewer',
    list: 'viewer',
    watch: 'viewer',
    create: 'admin',
    update: 'admin',
    patch: 'admin',
    delete: 'admin',
    deletecollection: 'never',
  },
  platform: 'read',
  finalizer: null,
  fieldSelectors: ['status.phase'],
  secretFields: [],
});

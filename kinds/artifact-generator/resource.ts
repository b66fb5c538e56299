import { accessOf, allVerbs, defineResource } from '#core/resource.ts';
import { ArtifactGeneratorBody, ArtifactGeneratorStatus } from './schema.ts';

/** source.extensions.fluxcd.io/v1beta1 ArtifactGenerator (definitions.md 1.1 and 2.8). */
export const resource = defineResource({
  group: 'source.extensions.fluxcd.io',
  version: 'v1beta1',
  kind: 'ArtifactGenerator',
  plural: 'artifactgenerators',
  singular: 'artifactgenerator',
  shortNames: ['ag'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'ArtifactGenerator', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: ArtifactGeneratorBody,
  status: ArtifactGeneratorStatus,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'source.extensions.fluxcd.io/finalizer',
  fieldSelectors: [],
  secretFields: [],
});

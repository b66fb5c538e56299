import { accessOf, allVerbs, defineResource } from '#core/resource.ts';
import { ExternalArtifactBody, ExternalArtifactStatus } from './schema.ts';

/** source.toolkit.fluxcd.io/v1 ExternalArtifact (definitions.md 1.1 and 2.7). */
export const resource = defineResource({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'ExternalArtifact',
  plural: 'externalartifacts',
  singular: 'externalartifact',
  shortNames: ['ea'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  // The digest in its status opens stored content: nobody but the plane writes it.
  subresources: [{ name: 'status', kind: 'ExternalArtifact', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Source', type: 'string', jsonPath: '.spec.sourceRef.name' },
  ],
  body: ExternalArtifactBody,
  status: ExternalArtifactStatus,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
});

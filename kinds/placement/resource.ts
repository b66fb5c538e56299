import { at, type JsonObject } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { PlacementBody, PlacementStatus } from './schema.ts';

/** weir.dev/v1 Placement. Flux's kinds stay as they are; where they run is said here. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'Placement',
  plural: 'placements',
  singular: 'placement',
  shortNames: [],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [],
  columns: [
    { name: 'Definitions', type: 'integer', jsonPath: '.status.definitions' },
    { name: 'Clusters', type: 'string', jsonPath: '.status.clusters[*]' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: PlacementBody,
  status: PlacementStatus,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
  validate: checkPlacement,
});

/** A placement that names nothing would select everything: that must be said, never left out by mistake. */
function checkPlacement(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const found: { field: string; message: string }[] = [];
  for (const part of ['definitions', 'clusters']) {
    if (at(object, 'spec', part, 'names') !== undefined || at(object, 'spec', part, 'selector') !== undefined) continue;
    found.push({ field: `spec.${part}`, message: 'names or selector is required; an empty matchLabels selects everything' });
  }
  return found;
}

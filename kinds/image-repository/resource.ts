import { parseImageName } from '#core/image/name.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ImageRepositoryBody, ImageRepositoryStatus } from './schema.ts';

/** image.toolkit.fluxcd.io/v1 ImageRepository (definitions.md 1.1 and 5.1). */
export const resource = Object.freeze<Resource>({
  group: 'image.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'ImageRepository',
  plural: 'imagerepositories',
  singular: 'imagerepository',
  shortNames: ['imgrepo', 'imagerepo'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [
    { name: 'status', kind: 'ImageRepository', verbs: ['get'], access: 'viewer' },
    { name: 'tags', kind: 'ImageTags', group: 'weir.dev', version: 'v1', verbs: ['get'], access: 'viewer' },
  ],
  columns: [
    { name: 'Image', type: 'string', jsonPath: '.spec.image' },
    { name: 'Tags', type: 'string', jsonPath: '.status.lastScanResult.tagCount' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Last scan', type: 'string', jsonPath: '.status.lastScanResult.scanTime' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ImageRepositoryBody,
  status: ImageRepositoryStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkImageRepository,
});

/** A login in the image's name would be shown to every reader (threats C15). What else is wrong with the name is said in the status, as Flux does. */
function checkImageRepository(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const image = textAt(object, 'spec', 'image') ?? '';
  if (!image.includes('@')) return [];
  const problem = parseImageName(image);
  return typeof problem === 'string' ? [{ field: 'spec.image', message: problem }] : [];
}

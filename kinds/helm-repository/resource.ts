import { type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { HelmRepositoryBody, HelmRepositoryStatus } from './schema.ts';

/** source.toolkit.fluxcd.io/v1 HelmRepository (definitions.md 1.1 and 2.4). */
export const resource = Object.freeze<Resource>({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'HelmRepository',
  plural: 'helmrepositories',
  singular: 'helmrepository',
  shortNames: ['helmrepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'HelmRepository', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.spec.url' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: HelmRepositoryBody,
  status: HelmRepositoryStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkHelmRepository,
});

type Problem = Readonly<{ field: string; message: string }>;

/** No credential in an address (threats C15): it would be shown to everybody who may read the object. */
function checkHelmRepository(object: JsonObject): readonly Problem[] {
  const url = textAt(object, 'spec', 'url');
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null || (parsed.username === '' && parsed.password === '')) return [];
  return [{ field: 'spec.url', message: 'must not contain a user name or password: put them into a Secret and name it in spec.secretRef' }];
}

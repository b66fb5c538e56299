import { at, type JsonObject, textAt } from '#core/json.ts';
import { isSha256 } from '#core/oci-values.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { OCIRepositoryBody, OCIRepositoryStatus } from './schema.ts';
import { tagOf } from './target.ts';

/** source.toolkit.fluxcd.io/v1 OCIRepository (definitions.md 1.1 and 2.3). */
export const resource = Object.freeze<Resource>({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'OCIRepository',
  plural: 'ocirepositories',
  singular: 'ocirepository',
  shortNames: ['ocirepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'OCIRepository', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.spec.url' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: OCIRepositoryBody,
  status: OCIRepositoryStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkOCIRepository,
});

/** The grammars that keep values from becoming another path of the registry (threats B10). */
function checkOCIRepository(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const found: { field: string; message: string }[] = [];
  const tag = textAt(object, 'spec', 'ref', 'tag') ?? '';
  if (tag !== '' && tagOf(tag) === null)
    found.push({ field: 'spec.ref.tag', message: 'must be a tag: letters, digits, and . _ -, at most 128 characters' });
  const digest = textAt(object, 'spec', 'ref', 'digest') ?? '';
  if (digest !== '' && !isSha256(digest))
    found.push({ field: 'spec.ref.digest', message: 'must be written as sha256:<64 hexadecimal characters in lower case>' });
  if (textAt(object, 'spec', 'verify', 'provider') === 'notation' && at(object, 'spec', 'verify', 'matchOIDCIdentity') !== undefined)
    found.push({ field: 'spec.verify.matchOIDCIdentity', message: 'is for provider cosign only' });
  return found;
}

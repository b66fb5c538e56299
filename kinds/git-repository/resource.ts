import { isCommitHash, isFullRefName, isShortRefName, parseGitUrl } from '#core/git-values.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { GitRepositoryBody, GitRepositoryStatus } from './schema.ts';

/** source.toolkit.fluxcd.io/v1 GitRepository (definitions.md 1.1 and 2.2). */
export const resource = Object.freeze<Resource>({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'GitRepository',
  plural: 'gitrepositories',
  singular: 'gitrepository',
  shortNames: ['gitrepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'GitRepository', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.spec.url' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: GitRepositoryBody,
  status: GitRepositoryStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkGitRepository,
});

type Problem = Readonly<{ field: string; message: string }>;

/** The schema rule of the upstream CRD, and the grammars that keep values from being read as options (threats C1, C2, C5, C7, C15). */
function checkGitRepository(object: JsonObject): readonly Problem[] {
  const found: Problem[] = [];
  const url = textAt(object, 'spec', 'url');
  const problem = url === undefined ? null : parseGitUrl(url);
  if (typeof problem === 'string') found.push({ field: 'spec.url', message: problem });
  const provider = textAt(object, 'spec', 'provider');
  if (textAt(object, 'spec', 'serviceAccountName') !== undefined && provider !== 'azure' && provider !== 'aws') {
    found.push({ field: 'spec', message: "serviceAccountName can only be set when provider is 'azure' or 'aws'" });
  }
  for (const [field, isAllowed, message] of REFERENCE_RULES) {
    const value = textAt(object, 'spec', 'ref', field);
    if (value !== undefined && value !== '' && !isAllowed(value)) found.push({ field: `spec.ref.${field}`, message });
  }
  return found;
}

const REFERENCE_RULES: readonly (readonly [string, (text: string) => boolean, string])[] = Object.freeze([
  ['branch', isShortRefName, 'must be a branch name by the rules of git check-ref-format'],
  ['tag', isShortRefName, 'must be a tag name by the rules of git check-ref-format'],
  ['name', isFullRefName, 'must be a full reference name such as refs/heads/main, by the rules of git check-ref-format'],
  ['commit', isCommitHash, 'must be a whole commit hash: 40 or 64 hexadecimal characters in lower case'],
]);

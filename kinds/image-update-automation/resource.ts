import { isShortRefName } from '#core/git-values.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { templateProblem } from './message.ts';
import { folderOf } from './places.ts';
import { ImageUpdateAutomationBody, ImageUpdateAutomationStatus } from './schema.ts';

/** image.toolkit.fluxcd.io/v1 ImageUpdateAutomation (definitions.md 1.1 and 5.3). */
export const resource = Object.freeze<Resource>({
  group: 'image.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'ImageUpdateAutomation',
  plural: 'imageupdateautomations',
  singular: 'imageupdateautomation',
  shortNames: ['iua', 'imgupd', 'imgauto'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'ImageUpdateAutomation', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Last run', type: 'string', jsonPath: '.status.lastAutomationRunTime' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ImageUpdateAutomationBody,
  status: ImageUpdateAutomationStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkImageUpdateAutomation,
});

const ONE_LINE = /^[^\p{C}<>]{1,200}$/u;

/** The grammars that keep values from being read as options, lines or paths of another meaning (threats C1, C9, C16), and templates that would fail at the first commit. */
function checkImageUpdateAutomation(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const found: { field: string; message: string }[] = [];
  const check = (path: readonly string[], problemOf: (value: string) => string | null): void => {
    const value = textAt(object, 'spec', ...path);
    const problem = value === undefined || value === '' ? null : problemOf(value);
    if (problem !== null) found.push({ field: `spec.${path.join('.')}`, message: problem });
  };
  const branch = (value: string): string | null =>
    isShortRefName(value) ? null : 'must be a branch name by the rules of git check-ref-format';
  const line = (value: string): string | null =>
    ONE_LINE.test(value) ? null : 'must be one line of at most 200 characters without < and >';
  check(['git', 'push', 'branch'], branch);
  check(['git', 'checkout', 'ref', 'branch'], branch);
  check(['git', 'commit', 'author', 'name'], line);
  check(['git', 'commit', 'author', 'email'], line);
  check(['git', 'commit', 'messageTemplate'], templateProblem);
  check(['update', 'path'], (value) => (folderOf(value) === null ? 'must be a folder inside the repository' : null));
  return found;
}

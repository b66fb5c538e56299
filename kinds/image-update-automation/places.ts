import { isFullRefName, isShortRefName } from '#core/git-values.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import type { ImageUpdateAutomationSpec } from './schema.ts';

/** Where commits begin and where they go. */
export type Places =
  | Readonly<{ is: 'places'; from: string; branch: string; alsoTo: readonly string[] }>
  | Readonly<{ is: 'invalid' | 'unsupported'; message: string }>;

const HEADS = 'refs/heads/';

/** Of the checkout and the push of an automation, with the GitRepository's `spec.ref` where it says nothing (definitions.md 5.3). Pure. */
export function placesOf(git: NonNullable<ImageUpdateAutomationSpec['git']>, sourceSpec: JsonObject): Places {
  const own = git.checkout?.ref;
  const ref = (key: string): string => (own === undefined ? textAt(sourceSpec, 'ref', key) : textAt({ ...own }, key)) ?? '';
  const where = own === undefined ? "the GitRepository's spec.ref" : 'spec.git.checkout.ref';
  for (const key of ['commit', 'semver'])
    if (ref(key) !== '')
      return {
        is: 'unsupported',
        message: `${where}.${key} is not served by this release: name a branch, a tag or a reference in spec.git.checkout.ref`,
      };
  const branch = git.push?.branch ?? '';
  const target = branch === '' ? ref('branch') : branch;
  if (target === '') return { is: 'invalid', message: `spec.git.push.branch is needed: no branch can be inferred from ${where}` };
  if (!isShortRefName(target))
    return { is: 'invalid', message: `'${target.slice(0, 100)}' is no branch name by the rules of git check-ref-format` };
  const from =
    ref('name') !== ''
      ? ref('name')
      : ref('tag') !== ''
        ? `refs/tags/${ref('tag')}`
        : `${HEADS}${ref('branch') === '' ? 'master' : ref('branch')}`;
  if (!isFullRefName(from)) return { is: 'invalid', message: `${where} names no reference by the rules of git check-ref-format` };
  return alsoTo(git.push?.refspec ?? '', target, from);
}

/** The commit that is made stands for the branch in a refspec; anything else has no meaning here. */
function alsoTo(refspec: string, branch: string, from: string): Places {
  if (refspec === '') return { is: 'places', from, branch, alsoTo: [] };
  const [source = '', target = source, ...more] = refspec.split(':');
  const meansBranch = source === 'HEAD' || source === branch || source === `${HEADS}${branch}`;
  const full = target.startsWith('refs/') ? target : `${HEADS}${target}`;
  if (more.length > 0 || !meansBranch || !isFullRefName(full))
    return { is: 'invalid', message: `spec.git.push.refspec must be ${HEADS}${branch} or HEAD, a colon, and a full reference name` };
  return { is: 'places', from, branch, alsoTo: full === `${HEADS}${branch}` ? [] : [full] };
}

/** The folder of `spec.update.path` as git names it, '' for the whole tree; null for one that leaves the repository. Pure. */
export function folderOf(path: string | undefined): string | null {
  const names = (path ?? '').split('/').filter((one) => one !== '' && one !== '.');
  if ((path ?? '').includes('\0') || names.includes('..') || names.some((one) => one.toLowerCase() === '.git')) return null;
  return names.join('/');
}

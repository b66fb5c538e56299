import { isCommitHash, isFullRefName, isShortRefName } from '#core/git-values.ts';
import type { Beginning } from '#core/git-writer.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { parseRange } from '#core/semver/range.ts';
import type { ImageUpdateAutomationSpec } from './schema.ts';

/** Where commits begin and where they go. */
export type Places =
  | Readonly<{ is: 'places'; from: Beginning; branch: string; alsoTo: readonly string[] }>
  | Readonly<{ is: 'invalid'; message: string }>;

const HEADS = 'refs/heads/';

/** Of the checkout and the push of an automation, with the GitRepository's `spec.ref` where it says nothing (definitions.md 5.3). Pure. */
export function placesOf(git: NonNullable<ImageUpdateAutomationSpec['git']>, sourceSpec: JsonObject): Places {
  const own = git.checkout?.ref;
  const ref = (key: string): string => (own === undefined ? textAt(sourceSpec, 'ref', key) : textAt({ ...own }, key)) ?? '';
  const where = own === undefined ? "the GitRepository's spec.ref" : 'spec.git.checkout.ref';
  const branch = git.push?.branch ?? '';
  const target = branch === '' ? ref('branch') : branch;
  if (target === '') return { is: 'invalid', message: `spec.git.push.branch is needed: no branch can be inferred from ${where}` };
  if (!isShortRefName(target))
    return { is: 'invalid', message: `'${target.slice(0, 100)}' is no branch name by the rules of git check-ref-format` };
  const from = beginningOf(ref);
  if (from === null) return { is: 'invalid', message: `${where} names no reference, commit or range by the rules of git and of semver` };
  return alsoTo(git.push?.refspec ?? '', target, from);
}

/** The order is commit, name, semver, tag, branch. Null for what breaks the grammar. */
function beginningOf(ref: (key: string) => string): Beginning | null {
  const commit = ref('commit');
  if (commit !== '') return isCommitHash(commit) ? { at: 'commit', commit } : null;
  if (ref('name') === '' && ref('semver') !== '') return parseRange(ref('semver')) === null ? null : { at: 'semver', range: ref('semver') };
  const short = ref('tag') !== '' ? `refs/tags/${ref('tag')}` : `${HEADS}${ref('branch') === '' ? 'master' : ref('branch')}`;
  const name = ref('name') !== '' ? ref('name') : short;
  return isFullRefName(name) ? { at: 'reference', name } : null;
}

/** The commit that is made stands for the branch in a refspec; anything else has no meaning here. */
function alsoTo(refspec: string, branch: string, from: Beginning): Places {
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

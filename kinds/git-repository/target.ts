import { newestTag } from '#core/git-beginning.ts';
import { commitDigest } from '#core/git-values.ts';
import type { GitRef } from '#core/ports.ts';
import type { GitRepositorySpec } from './schema.ts';

/** What `spec.ref` means for what the remote advertises: a commit, its revision (definitions.md 1.7), and the reference it must be on. */
export type Target =
  | Readonly<{ is: 'target'; commit: string; revision: string; within: string | null }>
  | Readonly<{ is: 'missing'; message: string }>;

const TAGS = 'refs/tags/';
const HEADS = 'refs/heads/';
const DEFAULT_BRANCH = 'master';

/** The order is commit, name, semver, tag, branch. An empty text counts as absent. Pure. */
export function findTarget(ref: GitRepositorySpec['ref'], advertised: readonly GitRef[]): Target {
  const { branch = '', tag = '', semver = '', name = '', commit = '' } = ref ?? {};
  if (commit !== '') return commitTarget(commit, branch, advertised);
  if (name !== '') return byReference(name, name, advertised);
  if (semver !== '') return bySemver(semver, advertised);
  if (tag !== '') return byReference(`${TAGS}${tag}`, tag, advertised);
  return byReference(`${HEADS}${branch === '' ? DEFAULT_BRANCH : branch}`, branch === '' ? DEFAULT_BRANCH : branch, advertised);
}

function commitTarget(commit: string, branch: string, advertised: readonly GitRef[]): Target {
  if (branch === '') return { is: 'target', commit, revision: commitDigest(commit), within: null };
  const within = `${HEADS}${branch}`;
  if (!advertised.some((ref) => ref.name === within)) return missing(within);
  return { is: 'target', commit, revision: `${branch}@${commitDigest(commit)}`, within };
}

function byReference(name: string, shown: string, advertised: readonly GitRef[]): Target {
  const found = advertised.find((ref) => ref.name === name);
  if (found === undefined) return missing(name);
  return { is: 'target', commit: found.commit, revision: `${shown}@${commitDigest(found.commit)}`, within: name };
}

function bySemver(semver: string, advertised: readonly GitRef[]): Target {
  const newest = newestTag(semver, advertised);
  return newest.is === 'tag' ? byReference(`${TAGS}${newest.tag}`, newest.tag, advertised) : { is: 'missing', message: newest.message };
}

function missing(name: string): Target {
  return { is: 'missing', message: `couldn't find remote ref '${name}': create it, or correct spec.ref` };
}

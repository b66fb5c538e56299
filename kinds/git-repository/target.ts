import { commitDigest } from '#core/git-values.ts';
import type { GitRef } from '#core/ports.ts';
import { isInRange, parseRange } from '#core/semver/range.ts';
import { compareVersions, parseStrictVersion, type Version } from '#core/semver/version.ts';
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

/**
 * Flux breaks a tie of equal versions (`1.0.0+a`, `1.0.0+b`, `v1.0.0`) by the age of their commits, which ls-remote does not tell; here the
 * tag that is last in byte order wins, so that the choice does not depend on anything but the tags.
 */
function bySemver(semver: string, advertised: readonly GitRef[]): Target {
  const range = parseRange(semver);
  if (range === null) return { is: 'missing', message: `semver parse error: improper constraint: ${JSON.stringify(semver.slice(0, 100))}` };
  let best: Version | null = null;
  for (const ref of advertised) {
    const version = ref.name.startsWith(TAGS) ? parseStrictVersion(ref.name.slice(TAGS.length)) : null;
    if (version === null || !isInRange(range, version)) continue;
    if (best === null || (compareVersions(version, best) || compareBytes(version.original, best.original)) > 0) best = version;
  }
  if (best === null) return { is: 'missing', message: `no match found for semver: ${semver}` };
  return byReference(`${TAGS}${best.original}`, best.original, advertised);
}

function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  return left > right ? 1 : -1;
}

function missing(name: string): Target {
  return { is: 'missing', message: `couldn't find remote ref '${name}': create it, or correct spec.ref` };
}

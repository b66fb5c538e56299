import type { Beginning } from './git-writer.ts';
import type { GitRef } from './ports.ts';
import { isInRange, parseRange } from './semver/range.ts';
import { compareVersions, parseStrictVersion, type Version } from './semver/version.ts';

const TAGS = 'refs/tags/';

/** A commit and the reference it must be on; null for any that is advertised. */
export type Begun = Readonly<{ commit: string; within: string | null }>;

/** Where a branch begins, by what the remote advertises, or what is missing. Pure. */
export function beginningIn(from: Beginning, advertised: readonly GitRef[]): Begun | string {
  switch (from.at) {
    case 'commit':
      return { commit: from.commit, within: null };
    case 'reference':
      return onReference(from.name, advertised);
    case 'semver': {
      const tag = newestTag(from.range, advertised);
      return tag.is === 'tag' ? onReference(`${TAGS}${tag.tag}`, advertised) : tag.message;
    }
  }
}

function onReference(name: string, advertised: readonly GitRef[]): Begun | string {
  const found = advertised.find((ref) => ref.name === name);
  return found === undefined ? `couldn't find remote ref '${name}'` : { commit: found.commit, within: name };
}

/**
 * The tag with the highest version in a range. Flux breaks a tie of equal versions (`1.0.0+a`, `1.0.0+b`, `v1.0.0`) by the age of their commits, which ls-remote does not tell;
 * here the tag that is last in byte order wins, so that the choice does not depend on anything but the tags. Pure.
 */
export function newestTag(
  semver: string,
  advertised: readonly GitRef[],
): Readonly<{ is: 'tag'; tag: string }> | Readonly<{ is: 'none'; message: string }> {
  const range = parseRange(semver);
  if (range === null) return { is: 'none', message: `semver parse error: improper constraint: ${JSON.stringify(semver.slice(0, 100))}` };
  let best: Version | null = null;
  for (const ref of advertised) {
    const version = ref.name.startsWith(TAGS) ? parseStrictVersion(ref.name.slice(TAGS.length)) : null;
    if (version === null || !isInRange(range, version)) continue;
    if (best === null || (compareVersions(version, best) || compareBytes(version.original, best.original)) > 0) best = version;
  }
  return best === null ? { is: 'none', message: `no match found for semver: ${semver}` } : { is: 'tag', tag: best.original };
}

function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  return left > right ? 1 : -1;
}

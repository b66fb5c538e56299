import { isCommitHash, isFullRefName } from '#core/git-values.ts';
import type { GitRef } from '#core/ports.ts';

const PEELED = '^{}';

/**
 * References in the output of `git ls-remote`. A tag that is an object of its own is replaced by the commit behind it. Lines with
 * names that break git's own rules are left out: no definition can name them. Pure.
 */
export function parseRemoteRefs(output: string): readonly GitRef[] {
  const commits = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [commit, name] = line.split('\t');
    if (commit === undefined || name === undefined || !isCommitHash(commit)) continue;
    const plain = name.endsWith(PEELED) ? name.slice(0, -PEELED.length) : name;
    if (plain !== 'HEAD' && !isFullRefName(plain)) continue;
    if (name === plain && commits.has(plain)) continue;
    commits.set(plain, commit);
  }
  return Object.freeze([...commits].map(([name, commit]) => Object.freeze({ name, commit })));
}

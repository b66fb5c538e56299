import { AppError } from '#core/errors.ts';
import { type GitUrl, isCommitHash, isFullRefName, parseGitUrl } from '#core/git-values.ts';

/**
 * The only maker of git argument lists: fixed sub-commands and options, `--end-of-options`, then values that passed the grammar
 * (threats C1, C2). A value that does not pass is refused here even though the API has checked it before.
 */
export type GitCommand = Readonly<{
  words: readonly string[] /** Exit codes that are an answer and no failure. */;
  expected: readonly number[];
}>;

/** The URL as git is given it. Throws AppError gitFailed, or egressDenied for plain http where the operator does not allow it. */
export function checkedUrl(text: string, allowHttp: boolean): GitUrl {
  const url = parseGitUrl(text);
  if (typeof url === 'string') throw new AppError('gitFailed', `the repository URL ${url}`);
  if (url.scheme === 'ssh') throw new AppError('gitFailed', 'git over ssh is not supported yet: use an https URL');
  if (url.scheme === 'http' && !allowHttp)
    throw new AppError('egressDenied', 'plain http is not allowed here: use https, or ask the operator to allow it');
  return url;
}

export function lookCommand(url: GitUrl): GitCommand {
  return command(['ls-remote', '--quiet', '--end-of-options', url.href]);
}

export function initCommand(directory: string): GitCommand {
  return command(['init', '--quiet', '--bare', '--template=', '--end-of-options', absolute(directory)]);
}

/** Fetches each reference into the mirror under a name that no other reference can collide with. */
export function fetchCommand(url: GitUrl, refs: readonly Readonly<{ name: string; target: string }>[]): GitCommand {
  const refspecs = refs.map(({ name, target }) => `+${checkedRef(name)}:${checkedRef(target)}`);
  return command([
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-gc',
    '--end-of-options',
    url.href,
    ...refspecs,
  ]);
}

/** Exit 0: the object is there, 1: it is not. */
export function hasCommand(commit: string): GitCommand {
  return command(['cat-file', '-e', checkedCommit(commit)], [1]);
}

/** Exit 0: the commit is the tip or an ancestor of it, 1: it is not. */
export function isAncestorCommand(commit: string, tip: string): GitCommand {
  return command(['merge-base', '--is-ancestor', '--end-of-options', checkedCommit(commit), checkedCommit(tip)], [1]);
}

/** Prints the commit when it is reachable from none of the tips, nothing when it is reachable. Tips that the mirror lacks are skipped. */
export function notReachableCommand(commit: string, tips: readonly string[]): GitCommand {
  return command([
    'rev-list',
    '--max-count=1',
    '--ignore-missing',
    '--end-of-options',
    checkedCommit(commit),
    ...tips.map((tip) => `^${checkedCommit(tip)}`),
  ]);
}

export function mirroredTipsCommand(prefix: string): GitCommand {
  return command(['for-each-ref', '--format=%(objectname)', '--end-of-options', prefix]);
}

export function archiveCommand(commit: string, tarPath: string): GitCommand {
  return command(['archive', '--format=tar', `--output=${absolute(tarPath)}`, '--end-of-options', checkedCommit(commit)]);
}

/** Joins small packs into larger ones; each object is rewritten a logarithmic number of times over the life of a mirror. */
export function repackCommand(): GitCommand {
  return command(['repack', '--geometric=2', '-d', '--quiet']);
}

function command(words: readonly string[], expected: readonly number[] = []): GitCommand {
  return Object.freeze({ words: Object.freeze(words), expected: Object.freeze(expected) });
}

function checkedCommit(text: string): string {
  if (!isCommitHash(text)) throw new AppError('gitFailed', 'a commit is 40 or 64 hexadecimal characters');
  return text;
}

function checkedRef(text: string): string {
  if (text !== 'HEAD' && !isFullRefName(text))
    throw new AppError('gitFailed', 'the name of a reference breaks the rules of git check-ref-format');
  return text;
}

function absolute(path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) throw new Error('a path of ours is absolute');
  return path;
}

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

const MAX_OPTION = 1_024;

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

/** Names of the files below these folders of a commit that hold a text, as `<commit>:<path>` and NUL. Exit 1: there are none. */
export function holdingCommand(commit: string, text: string, folders: readonly string[]): GitCommand {
  return command(
    [
      'grep',
      '--files-with-matches',
      '-z',
      '--text',
      '--fixed-strings',
      '--no-textconv',
      '--threads=1',
      '-e',
      text,
      checkedCommit(commit),
      '--',
      ...folders.map(literal),
    ],
    [1],
  );
}

export function archiveFilesCommand(commit: string, tarPath: string, paths: readonly string[]): GitCommand {
  return command(['archive', '--format=tar', `--output=${absolute(tarPath)}`, checkedCommit(commit), '--', ...paths.map(literal)]);
}

/** Entries of the root, or of the folders named with a slash at the end; one per line, odd names in quotes (core.quotePath). */
export function listTreeCommand(commit: string, folders: readonly string[]): GitCommand {
  return command(['ls-tree', '-t', '--full-tree', checkedCommit(commit), '--', ...folders.map(literal)]);
}

/** Signs with the key that `-S` names; author and committer come from the environment. */
export function signedCommitCommand(
  { settings, key }: Readonly<{ settings: readonly string[]; key: string }>,
  { tree, parent, messageFile }: Readonly<{ tree: string; parent: string; messageFile: string }>,
): GitCommand {
  const of = [checkedCommit(tree), '-p', checkedCommit(parent), '-F', absolute(messageFile)];
  return command([...settings, 'commit-tree', `-S${key}`, ...of], [1, 128]);
}

/** One line per commit of the newest: hash, tab, values of the trailer. */
export function trailersCommand(commit: string, key: string, count: number): GitCommand {
  return command([
    'log',
    `--max-count=${count}`,
    `--format=%H%x09%(trailers:key=${key},valueonly,separator=%x2C)`,
    checkedCommit(commit),
    '--',
  ]);
}

/** Exit 1: the remote refused at least one reference; the lines say which. Never by force: no `+`, no --force. */
export function pushCommand(url: GitUrl, commit: string, refs: readonly string[], options: Readonly<Record<string, string>>): GitCommand {
  return command(
    [
      'push',
      '--porcelain',
      '--no-verify',
      '--no-follow-tags',
      '--no-recurse-submodules',
      '--no-signed',
      ...Object.entries(options).map(([key, value]) => `--push-option=${pushOption(key, value)}`),
      '--end-of-options',
      url.href,
      ...refs.map((ref) => `${checkedCommit(commit)}:${checkedRef(ref)}`),
    ],
    [1],
  );
}

function pushOption(key: string, value: string): string {
  const option = value === '' ? key : `${key}=${value}`;
  if (/\p{C}/u.test(option) || option.length > MAX_OPTION)
    throw new AppError('gitFailed', `a push option is one line of at most ${MAX_OPTION} characters`);
  return option;
}

/** A path as it is, never a pattern. The whole tree for ''. */
function literal(path: string): string {
  if (path.includes('\0')) throw new AppError('gitFailed', 'a path holds a NUL character');
  return path === '' ? ':(top)' : `:(top,literal)${path}`;
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

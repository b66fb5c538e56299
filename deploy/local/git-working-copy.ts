import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { authorizationOf, type GitCredential } from '#deploy/local/git-access.ts';
import { git } from '#deploy/local/git-run.ts';

/** Path in the tree → new content, or null to remove the file. */
export type FileChanges = Readonly<Record<string, string | null>>;

export type WorkingCopy = Readonly<{
  dir: string;
  /** Writes the changes on top of the branch as the server has it, commits, and pushes. Returns the commit. One at a time. */
  commit(branch: string, changes: FileChanges, message?: string): Promise<string>;
  /** Any git command in this copy; returns stdout. */
  git(...args: readonly string[]): Promise<string>;
}>;

/**
 * An ordinary clone that anybody on this machine account can go on using by hand: its own configuration (mode 0600) knows the authority, the
 * author and the login. That is for demo and tests; Weir itself never keeps a login in a repository.
 */
export async function openWorkingCopy(
  options: Readonly<{ dir: string; url: string; caFile: string | null; credential: GitCredential }>,
): Promise<WorkingCopy> {
  const { dir } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await git(dir, 'init', '--quiet', '--initial-branch=main');
  await chmod(join(dir, '.git/config'), 0o600);
  const settings = {
    'user.name': 'Demo Developer',
    'user.email': 'developer@demo.invalid',
    'commit.gpgSign': 'false',
    'push.autoSetupRemote': 'true',
    // A GIT_SSL_CAINFO of the machine wins over sslCAInfo; the folder is read beside it (git built with GnuTLS, as Debian's).
    ...(options.caFile === null ? {} : { 'http.sslCAInfo': options.caFile, 'http.sslCAPath': dirname(options.caFile) }),
  };
  for (const [name, value] of Object.entries(settings)) await git(dir, 'config', name, value);
  await writeFile(join(dir, '.git/login'), `[http]\n\textraHeader = Authorization: ${authorizationOf(options.credential)}\n`, {
    mode: 0o600,
  });
  await git(dir, 'config', 'include.path', 'login');
  await git(dir, 'remote', 'add', 'origin', options.url);
  let last: Promise<unknown> = Promise.resolve();
  const commit = (branch: string, changes: FileChanges, message = 'Change by the demo'): Promise<string> => {
    const next = last.then(() => commitNow(dir, branch, changes, message));
    // Whoever asked for it gets the error; the next one starts all the same.
    last = next.catch(() => undefined);
    return next;
  };
  return Object.freeze({ dir, commit, git: (...args: readonly string[]) => git(dir, ...args) });
}

async function commitNow(dir: string, branch: string, changes: FileChanges, message: string): Promise<string> {
  await git(dir, 'fetch', '--quiet', '--prune', 'origin');
  const known = await git(dir, 'branch', '--remotes', '--list', `origin/${branch}`);
  if (known.trim() === '') await startBranch(dir, branch);
  else await git(dir, 'checkout', '--quiet', '--force', '-B', branch, `origin/${branch}`);
  for (const [path, content] of Object.entries(changes)) await change(dir, path, content);
  await git(dir, 'add', '--all');
  await git(dir, 'commit', '--quiet', '--allow-empty', '-m', message);
  await git(dir, 'push', '--quiet', 'origin', branch);
  return (await git(dir, 'rev-parse', 'HEAD')).trim();
}

/** A branch that the server does not have starts empty, whatever this copy had under that name. */
async function startBranch(dir: string, branch: string): Promise<void> {
  await git(dir, 'symbolic-ref', 'HEAD', `refs/heads/${branch}`);
  await git(dir, 'update-ref', '-d', `refs/heads/${branch}`);
  await git(dir, 'read-tree', '--empty');
  await git(dir, 'clean', '--quiet', '-ffdx');
}

async function change(dir: string, path: string, content: string | null): Promise<void> {
  const file = join(dir, path);
  if (content === null) {
    await rm(file, { recursive: true });
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

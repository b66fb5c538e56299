import { execFile } from 'node:child_process';
import { chown, lchown, readdir, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isErrno } from '#deploy/local/children.ts';
import type { ProcessSpec } from '#deploy/local/process.ts';

const run = promisify(execFile);

/** nobody, nogroup: on every Linux the numbers that own nothing. */
const nobody = 65534;

/**
 * How a store is started when we are root (PostgreSQL refuses root, Redis needs none of it): as nobody, or, where nobody may not pass
 * a parent folder, in a user namespace in which root is called nobody. Else as we are, where we have a name. `owner` is whom its files belong to.
 */
export type UnprivilegedUser = Readonly<
  | { mode: 'same'; owner: number }
  | { mode: 'nobody'; owner: number; uid: number; gid: number }
  | { mode: 'namespace'; owner: number; prefix: readonly [string, ...string[]] }
>;

/** Chooses the mode for a server whose programs and data stand at these existing paths. */
export async function unprivilegedUser(paths: readonly string[]): Promise<UnprivilegedUser> {
  const self = process.getuid?.();
  if (self === undefined) throw new Error('the embedded stores need Linux; use servers of your own (WEIR_DATABASE_URL, WEIR_REDIS_URL)');
  if (self !== 0) return isNamed() ? { mode: 'same', owner: self } : inNamespace(self, `user ${self} has no name on this machine`);
  for (const path of paths) {
    if (!(await isPassable(path))) return inNamespace(0, `root does not run it, and user nobody may not pass the folders above ${path}`);
  }
  return { mode: 'nobody', owner: nobody, uid: nobody, gid: nobody };
}

const namespacePrefix = ['/usr/bin/unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'] as const;

/** PostgreSQL asks for the name of its user; containers often run under a bare number. */
function isNamed(): boolean {
  try {
    return userInfo().username !== '';
  } catch (error) {
    if (isErrno(error, 'ERR_SYSTEM_ERROR')) return false;
    throw error;
  }
}

/** Container defaults forbid user namespaces; then only the person at the machine can help. */
async function inNamespace(owner: number, why: string): Promise<UnprivilegedUser> {
  const [command, ...args] = namespacePrefix;
  try {
    await run(command, [...args, '/bin/true'], { timeout: 10_000, env: {} });
  } catch (cause) {
    throw new Error(
      `a store cannot start: ${why}, and this machine allows no user namespaces; ` +
        'run as an ordinary user, or as root from a folder that everybody may pass (chmod o+x on each folder above it)',
      { cause },
    );
  }
  return { mode: 'namespace', owner, prefix: namespacePrefix };
}

/** Whether every folder above the path may be passed by everybody. */
async function isPassable(path: string): Promise<boolean> {
  let folder = dirname(await realpath(path));
  for (;;) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
    folder = dirname(folder);
  }
}

/** Gives a folder and all in it to the user of the mode. Does nothing when the folder itself is theirs already. Not atomic, safe to repeat from the top. */
export async function giveTo(user: UnprivilegedUser, folder: string): Promise<void> {
  if ((await stat(folder)).uid === user.owner) return;
  for (const entry of await readdir(folder, { recursive: true })) await lchown(join(folder, entry), user.owner, user.owner);
  await chown(folder, user.owner, user.owner);
}

/** The same program, started as that user. */
export function asUser(user: UnprivilegedUser, spec: ProcessSpec): ProcessSpec {
  if (user.mode === 'same') return spec;
  if (user.mode === 'nobody') return { ...spec, uid: user.uid, gid: user.gid };
  const [command, ...prefix] = user.prefix;
  return { ...spec, command, args: [...prefix, spec.command, ...spec.args] };
}

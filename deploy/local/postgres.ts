import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, readlink, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Children, isErrno } from '#deploy/local/children.ts';
import { freePort } from '#deploy/local/ports.ts';
import { findPostgresBinaries, linkLibraries, type PostgresBinaries } from '#deploy/local/postgres-binaries.ts';
import { type ProcessSpec, type RunningProcess, runProcess, startProcess } from '#deploy/local/process.ts';
import { asUser, giveTo, type UnprivilegedUser, unprivilegedUser } from '#deploy/local/unprivileged.ts';

export type PostgresOptions = Readonly<{
  /** Holds data, password and log; made if absent, kept after the stop. */
  dir: string;
  /** False loses data on a crash of the machine: tests only. Default true. */
  fsync?: boolean;
  /** Server settings by name, such as `max_connections`. */
  settings?: Readonly<Record<string, string>>;
}>;

export type StopMode = 'fast' | 'immediate';

export type PostgresServer = Readonly<{
  host: string;
  port: number;
  /** Connection URL of the superuser `postgres` on database `postgres`, password included: never log it. */
  superuserUrl: string;
  logFile: string;
  pid(): number | null;
  /** Starts it again on the same port after a stop or a crash. */
  start(): Promise<void>;
  /** `immediate` is a crash: the next start recovers from the log. Stopping twice is harmless. */
  stop(mode?: StopMode): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

type Home = Readonly<{
  dir: string;
  data: string;
  logFile: string;
  binaries: PostgresBinaries;
  user: UnprivilegedUser;
  env: Readonly<Record<string, string>>;
}>;

const host = '127.0.0.1';
const initTimeoutMs = 60_000;
const readyTimeoutMs = 60_000;

/**
 * A real PostgreSQL server for development and tests, on a free port of 127.0.0.1 (no Unix socket), passwords by SCRAM.
 * The data folder survives stops and is used again. Throws when it is in use, or was written by another major version.
 */
export async function startPostgres(children: Children, options: PostgresOptions): Promise<PostgresServer> {
  const home = await openHome(options.dir);
  const password = await ensurePassword(home);
  await ensureCluster(children, home, options.fsync ?? true);
  const port = await freePort();
  let running: RunningProcess | null = null;
  const start = async (): Promise<void> => {
    if (running?.isRunning() === true) return;
    await removeStalePid(home);
    running = await startProcess(children, serverSpec(home, port, options));
  };
  const stop = async (mode: StopMode = 'fast'): Promise<void> => {
    await running?.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT', 30_000);
    running = null;
  };
  await start();
  return Object.freeze({
    host,
    port,
    superuserUrl: `postgres://postgres:${password}@${host}:${port}/postgres`,
    logFile: home.logFile,
    pid: () => running?.pid ?? null,
    start,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  });
}

async function openHome(path: string): Promise<Home> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const dir = await realpath(path);
  const binaries = await findPostgresBinaries();
  const user = await unprivilegedUser([dir, binaries.postgres]);
  const libraries = await linkLibraries(binaries, join(dir, 'lib'));
  await chmod(dir, 0o700);
  await giveTo(user, dir);
  // The root of the program's environment: no PG variables of the caller, byte order for text.
  const env = { LD_LIBRARY_PATH: libraries, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  return { dir, data: join(dir, 'data'), logFile: join(dir, 'postgres.log'), binaries, user, env };
}

async function ensurePassword(home: Home): Promise<string> {
  const file = passwordFile(home);
  const known = await readIfPresent(file);
  if (known !== null) return known;
  const password = randomBytes(24).toString('hex');
  await writeFile(file, password, { mode: 0o600, flag: 'wx' });
  if (home.user.mode === 'nobody') await chown(file, home.user.uid, home.user.gid);
  return password;
}

function passwordFile(home: Home): string {
  return join(home.dir, 'superuser-password');
}

/** Makes the database cluster under another name first, so that a cut initdb is never taken for a good one. */
async function ensureCluster(children: Children, home: Home, fsync: boolean): Promise<void> {
  const version = (await readIfPresent(join(home.data, 'PG_VERSION')))?.trim() ?? null;
  if (version === home.binaries.majorVersion) return;
  if (version !== null) {
    throw new Error(
      `${home.data} was written by PostgreSQL ${version}, this is PostgreSQL ${home.binaries.majorVersion}; ` +
        'dump it with the old version and restore it here, or move the folder away to start empty',
    );
  }
  const fresh = join(home.dir, 'data.new');
  await rm(fresh, { recursive: true, force: true });
  const args = [
    `--pgdata=${fresh}`,
    '--username=postgres',
    `--pwfile=${passwordFile(home)}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(fsync ? [] : ['--no-sync']),
  ];
  await runProcess(children, program(home, 'initdb', home.binaries.initdb, args), initTimeoutMs);
  await rename(fresh, home.data);
}

function serverSpec(home: Home, port: number, options: PostgresOptions): Parameters<typeof startProcess>[1] {
  const settings: Record<string, string> = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: '',
    // Commits are still written before they are answered: an immediate stop of the server loses nothing, only a crash of the machine does.
    ...((options.fsync ?? true) ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  const args = ['-D', home.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  return {
    ...program(home, 'PostgreSQL', home.binaries.postgres, args),
    lastSignal: 'SIGINT',
    ready: async () => (await readPidFile(home))?.state === 'ready',
    readyTimeoutMs,
  };
}

function program(home: Home, name: string, command: string, args: readonly string[]): ProcessSpec {
  return asUser(home.user, { name, command, args, env: home.env, cwd: home.dir, logFile: home.logFile });
}

/** postmaster.pid: process id first, state (`starting`, `ready`, `stopping`) on the eighth line. */
async function readPidFile(home: Home): Promise<Readonly<{ pid: number; state: string }> | null> {
  const text = await readIfPresent(join(home.data, 'postmaster.pid'));
  if (text === null) return null;
  const lines = text.split('\n');
  return { pid: Number(lines[0]), state: lines[7]?.trim() ?? '' };
}

/**
 * After a crash the file stays, and its number may by now belong to any program, which PostgreSQL would take for itself.
 * It is removed unless that process really is a server of this very folder.
 */
async function removeStalePid(home: Home): Promise<void> {
  const found = await readPidFile(home);
  if (found === null) return;
  const cwd = Number.isSafeInteger(found.pid) ? await linkTarget(`/proc/${found.pid}/cwd`) : null;
  if (cwd === home.data) {
    throw new Error(`a PostgreSQL server (process ${found.pid}) already runs on ${home.data}; stop that one first`);
  }
  await rm(join(home.data, 'postmaster.pid'), { force: true });
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return null;
    throw error;
  }
}

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

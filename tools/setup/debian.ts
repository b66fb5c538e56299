import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot, fillEntry, findEntry, readIfThere } from './cache.ts';
import { type Environment, findInPath } from './path-binary.ts';
import type { Progress } from './progress.ts';
import { lastLines, run } from './run.ts';

/** How a program that came with its own libraries is started: the command and what its environment must hold. */
export type Launch = Readonly<{ command: readonly string[]; env: Readonly<Record<string, string>> }>;
export type Unpacked = Readonly<{ is: 'found'; launch: Launch }> | Readonly<{ is: 'missing'; why: string }>;

/** A Debian or Ubuntu program that is unpacked into the cache, never installed: an installed service would take a port. */
export type DebianProgram = Readonly<{ name: string; packages: readonly string[]; binary: string; versionPattern: RegExp }>;

const aptTimeoutMs = 3 * 60_000;
const ownLibrary = /^(lib|lua-)/;
const alwaysThere: ReadonlySet<string> = new Set(['libc6', 'libgcc-s1', 'libgcc1']);
const maxPackages = 40;

/** Finds the program in the cache or brings it by `apt-get download` (which checks Debian's signatures) and `dpkg-deb -x`. Never throws. */
export async function unpackDebian(program: DebianProgram, env: Environment, progress: Progress): Promise<Unpacked> {
  const release = await debianRelease();
  if (release === undefined) return { is: 'missing', why: 'this is not Debian or Ubuntu' };
  const folder = join(cacheRoot(env), `${program.name}-${release}-${process.arch}`);
  const entry = { folder, file: program.binary };
  try {
    const onDamage = (): void => progress.say(`${program.name}: the cached program does not have its checksum, fetched anew`);
    const ready = await findEntry(entry, onDamage);
    if (ready !== undefined) return await launchable(program, folder, env);
    for (const helper of ['apt-get', 'apt-cache', 'dpkg-deb', 'dpkg-query']) {
      if ((await findInPath(helper, env)) === undefined) return { is: 'missing', why: `${helper} is not in PATH` };
    }
    const onWait = (): void => progress.say(`${program.name}: another set-up is fetching it, waiting`);
    await progress.step(`${program.name}: Debian's packages, unpacked and not installed`, () =>
      fillEntry(entry, onWait, (fresh) => fetchAndUnpack(program, fresh, env)),
    );
    return await launchable(program, folder, env);
  } catch (error) {
    return { is: 'missing', why: error instanceof Error ? error.message : String(error) };
  }
}

/** `debian-12`, `ubuntu-24.04`, or undefined elsewhere. */
async function debianRelease(): Promise<string | undefined> {
  const text = (await readIfThere('/etc/os-release')) ?? '';
  const id = /^ID="?([\w.-]+)"?$/m.exec(text)?.[1];
  const like = /^ID_LIKE="?([\w .-]+)"?$/m.exec(text)?.[1] ?? '';
  if (id !== 'debian' && !like.split(' ').includes('debian')) return undefined;
  return `${id}-${/^VERSION_ID="?([\w.-]+)"?$/m.exec(text)?.[1] ?? 'rolling'}`;
}

async function fetchAndUnpack(program: DebianProgram, folder: string, env: Environment): Promise<void> {
  const archives = join(folder, 'archives');
  await mkdir(archives);
  const isRoot = process.getuid?.() === 0;
  if (isRoot && !(await hasLists())) await aptUpdate(env);
  let why = await download(program, archives, env);
  // Old lists name files that the mirror has replaced since.
  if (why !== undefined && isRoot) {
    await aptUpdate(env);
    why = await download(program, archives, env);
  }
  if (why !== undefined) throw new Error(why);
  for (const archive of (await readdir(archives)).filter((name) => name.endsWith('.deb'))) {
    const unpacked = await run('dpkg-deb', ['-x', join(archives, archive), folder], { env, timeoutMs: 60_000 });
    if (!unpacked.ok) throw new Error(`dpkg-deb could not unpack ${archive} (${unpacked.why}): ${lastLines(unpacked.stderr, 3)}`);
  }
  await rm(archives, { recursive: true });
}

async function hasLists(): Promise<boolean> {
  const names = await readdir('/var/lib/apt/lists').catch(() => []);
  return names.some((name) => name.includes('_Packages'));
}

async function aptUpdate(env: Environment): Promise<void> {
  const updated = await run('apt-get', ['update', '-q'], { env, timeoutMs: aptTimeoutMs });
  if (!updated.ok) throw new Error(`apt-get update failed (${updated.why}): ${lastLines(updated.stderr, 3)}`);
}

async function download(program: DebianProgram, folder: string, env: Environment): Promise<string | undefined> {
  const names = await packagesFor(program, env);
  const fetched = await run('apt-get', ['download', '-q', ...names], { cwd: folder, env, timeoutMs: aptTimeoutMs });
  if (fetched.ok) return undefined;
  return `apt-get download ${names.join(' ')} failed (${fetched.why}): ${lastLines(fetched.stderr, 3)}`;
}

/** The program's packages and every library they need that this machine does not have, by the names of the release at hand. */
async function packagesFor(program: DebianProgram, env: Environment): Promise<readonly string[]> {
  const wanted = new Set(program.packages);
  for (const name of wanted) {
    const listed = await run('apt-cache', ['depends', '--no-recommends', '--no-suggests', name], { env, timeoutMs: 30_000 });
    if (!listed.ok) throw new Error(`apt-cache knows no package ${name}: run \`apt-get update\` as root and try again`);
    for (const [, dependency = ''] of listed.stdout.matchAll(/^ *\|?(?:Pre)?Depends: ([\w.+-]+)$/gm)) {
      if (!ownLibrary.test(dependency) || alwaysThere.has(dependency) || wanted.has(dependency)) continue;
      if (!(await isInstalled(dependency, env))) wanted.add(dependency);
    }
    if (wanted.size > maxPackages) throw new Error(`${program.name} would need more than ${maxPackages} packages`);
  }
  return [...wanted];
}

async function isInstalled(name: string, env: Environment): Promise<boolean> {
  const asked = await run('dpkg-query', ['-W', '-f', '${Status}', name], { env, timeoutMs: 10_000 });
  return asked.ok && asked.stdout.includes('install ok installed');
}

/** Starts it once, to know that every library is there. */
async function launchable(program: DebianProgram, folder: string, env: Environment): Promise<Unpacked> {
  const libraries = await libraryFolders(folder);
  const added: Record<string, string> = libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.join(':') };
  const path = join(folder, program.binary);
  const tried = await run(path, ['--version'], { env: { ...env, ...added }, timeoutMs: 10_000 });
  if (!tried.ok || !program.versionPattern.test(tried.stdout)) {
    return { is: 'missing', why: `${path} does not start (${tried.why}): ${lastLines(tried.stderr || tried.stdout, 3)}` };
  }
  return { is: 'found', launch: { command: [path], env: added } };
}

async function libraryFolders(folder: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const top of ['lib', 'usr/lib']) {
    const names = await readdir(join(folder, top), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const one of names) if (/\.so(\.|$)/.test(one.name)) found.add(await realpath(one.parentPath));
  }
  return [...found].sort();
}

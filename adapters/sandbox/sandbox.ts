import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import { bwrapLauncher, runInBwrap } from './bwrap.ts';
import { systemProgram } from './rlimits.ts';
import { seccompFilter } from './seccomp.ts';
import { selfTest } from './self-test.ts';
import type { Launch, Sandbox } from './types.ts';
import type { UnshareParts } from './unshare.ts';
import { runInUnshare, unshareLauncher } from './unshare.ts';
import { runWeak } from './weak.ts';

export type SandboxOptions = Readonly<{
  mode: 'auto' | 'bwrap' | 'unshare' | 'weak';
  bwrap: Launch | null;
  /** A folder of this process alone, for run folders; made when it is missing. Run folders are gone after each run. */
  workDir: string;
  signal: AbortSignal;
}>;

type Try = Readonly<{ is: 'works'; sandbox: Sandbox }> | Readonly<{ is: 'fails'; why: string }>;

const FIRST_ID = 30_000;
const ID_COUNT = 30_000;

/**
 * Finds a way to run programs with nothing they were not given, and proves it by a self-test before anything is run. Throws AppError sandboxUnavailable
 * when the wanted mode (auto: bwrap, then unshare) cannot isolate here; `weak` is never chosen by itself.
 */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  await mkdir(options.workDir, { recursive: true, mode: 0o755 });
  const prlimit = await systemProgram('prlimit');
  if (prlimit === null)
    throw new AppError('sandboxUnavailable', 'prlimit of util-linux is missing: install util-linux, no program runs without limits');
  if (options.mode === 'weak') return weakSandbox(prlimit, options.workDir);
  const failures: string[] = [];
  for (const mode of options.mode === 'auto' ? (['bwrap', 'unshare'] as const) : [options.mode]) {
    const tried = mode === 'bwrap' ? await tryBwrap(options, prlimit) : await tryUnshare(options, prlimit);
    if (tried.is === 'works') return tried.sandbox;
    failures.push(`${mode}: ${tried.why}`);
  }
  throw new AppError(
    'sandboxUnavailable',
    `no sandbox can isolate here (${failures.join('; ')}): install bubblewrap and allow user namespaces, or set WEIR_SANDBOX=weak to render without isolation`,
  );
}

async function tryBwrap(options: SandboxOptions, prlimit: string): Promise<Try> {
  const { bwrap, workDir } = options;
  if (bwrap === null) return { is: 'fails', why: 'bubblewrap is not installed' };
  const filter = seccompFilter(process.arch);
  const childrenFilter = seccompFilter(process.arch, true);
  if (filter === null || childrenFilter === null) return { is: 'fails', why: `no system call filter for ${process.arch}` };
  const filterPath = join(workDir, 'filter.bpf');
  await writeFile(filterPath, filter, { mode: 0o644 });
  const childrenFilterPath = join(workDir, 'filter-children.bpf');
  await writeFile(childrenFilterPath, childrenFilter, { mode: 0o644 });
  const parts = { bwrap, prlimit, filterPath, childrenFilterPath, workDir };
  const run: Sandbox['run'] = (input, signal) => runInBwrap(parts, input, signal);
  const why = await selfTest(run, workDir, 'bwrap', options.signal);
  if (why !== null) return { is: 'fails', why };
  const sandbox: Sandbox = {
    mode: 'bwrap',
    describe: () =>
      'bwrap: own namespaces without network, read-only root with only the given files, system call filter, no further processes, rlimits',
    run,
    launcher: (input) => bwrapLauncher(bwrap, input),
  };
  return { is: 'works', sandbox: Object.freeze(sandbox) };
}

async function tryUnshare(options: SandboxOptions, prlimit: string): Promise<Try> {
  const unshare = await systemProgram('unshare');
  if (unshare === null) return { is: 'fails', why: 'unshare of util-linux is missing' };
  await chmod(options.workDir, 0o755);
  let why = '';
  for (const as of await accounts()) {
    const parts: UnshareParts = { unshare, prlimit, workDir: options.workDir, as };
    const run: Sandbox['run'] = (input, signal) => runInUnshare(parts, input, signal);
    const failure = await selfTest(run, options.workDir, 'unshare', options.signal);
    if (failure === null) return { is: 'works', sandbox: unshareSandbox(parts, run) };
    why = failure;
  }
  return { is: 'fails', why };
}

function unshareSandbox(parts: UnshareParts, run: Sandbox['run']): Sandbox {
  return Object.freeze({
    mode: 'unshare',
    describe: () =>
      'unshare: own namespaces without network, a root folder with only copies of the given files, own account, rlimits; no system call filter',
    run,
    launcher: () => unshareLauncher(parts),
  });
}

/** As root an account number of its own for each run; it also makes the limit on processes count, which root is exempt from. Else user namespaces. */
async function accounts(): Promise<readonly UnshareParts['as'][]> {
  if (process.getuid?.() !== 0) return [{ is: 'user' }];
  const map = await readFile('/proc/self/uid_map', 'utf8');
  const size = Number(map.trim().split(/\s+/)[2] ?? '0');
  if (size < FIRST_ID + ID_COUNT) return [{ is: 'user' }];
  let count = process.pid * 131;
  const nextId = (): number => {
    count += 1;
    return FIRST_ID + (count % ID_COUNT);
  };
  return [{ is: 'root', nextId }, { is: 'user' }];
}

function weakSandbox(prlimit: string, workDir: string): Sandbox {
  const sandbox: Sandbox = {
    mode: 'weak',
    describe: () =>
      'weak (WEIR_SANDBOX=weak): process group, rlimits and a fixed environment only; files and network of this machine stay in reach',
    run: (input, signal) => runWeak({ prlimit, workDir }, input, signal),
    launcher: () => ({ command: [], env: {} }),
  };
  return Object.freeze(sandbox);
}

import { execute } from './execute.ts';
import { prlimitArgs } from './rlimits.ts';
import { stage } from './stage.ts';
import type { Launch, SandboxResult, SandboxRun } from './types.ts';

/**
 * `as`: how the program gets an account that owns nothing. `root` sets an unused number; `user` goes through two user namespaces: the outer one
 * exists so that the limit on processes counts only what runs in it (user_namespaces(7), RLIMIT_NPROC), the inner one has no capability left at exec.
 */
export type UnshareParts = Readonly<{
  unshare: string;
  prlimit: string;
  workDir: string;
  as: Readonly<{ is: 'user' }> | Readonly<{ is: 'root'; nextId(): number }>;
}>;

const NAMESPACES = [
  '--mount',
  '--pid',
  '--net',
  '--ipc',
  '--uts',
  '--cgroup',
  '--fork',
  '--kill-child=SIGKILL',
  '--propagation',
  'private',
] as const;

/**
 * Runs a program with the namespaces of util-linux `unshare` and a fresh folder of copies as its root. Isolated: files (nothing but the copies exists),
 * network (not even loopback is up), processes, IPC, host name, account, rlimits. Not isolated, other than with bubblewrap: no system call filter,
 * and the size of /tmp is limited per file only.
 */
export async function runInUnshare(parts: UnshareParts, input: SandboxRun, signal: AbortSignal): Promise<SandboxResult> {
  const staged = await stage(parts.workDir, input, parts.as.is === 'root');
  try {
    const place = [`--root=${staged.root}`, `--wd=${input.cwd}`];
    return await execute(
      {
        argv: [...prefix(parts, input, place), staged.tool, ...input.args],
        env: input.env,
        cwd: parts.workDir,
        stdin: input.stdin,
        filterFd: undefined,
        timeoutMs: input.limits.timeoutMs,
        maxOutputBytes: input.limits.maxOutputBytes,
      },
      signal,
    );
  } finally {
    await staged.dispose();
  }
}

function prefix(parts: UnshareParts, input: SandboxRun, place: readonly string[]): readonly string[] {
  const limits = [parts.prlimit, ...prlimitArgs(input.limits, 'processes')];
  if (parts.as.is === 'root') {
    const id = parts.as.nextId();
    return [...limits, parts.unshare, ...NAMESPACES, ...place, `--setuid=${id}`, `--setgid=${id}`, '--'];
  }
  return [
    parts.unshare,
    '--user',
    '--map-current-user',
    '--',
    ...limits,
    parts.unshare,
    '--user',
    '--map-user=65534',
    '--map-group=65534',
    ...NAMESPACES,
    ...place,
    '--',
  ];
}

/** Argument prefix that keeps network and files and gives the program a process tree of its own, which ends with it. */
export function unshareLauncher(parts: UnshareParts): Launch {
  const user = parts.as.is === 'user' ? ['--user', '--map-current-user'] : [];
  return { command: [parts.unshare, ...user, '--pid', '--ipc', '--uts', '--fork', '--kill-child=SIGKILL', '--mount-proc', '--'], env: {} };
}

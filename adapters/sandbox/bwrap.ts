import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { execute } from './execute.ts';
import { prlimitArgs } from './rlimits.ts';
import type { Launch, LauncherInput, SandboxResult, SandboxRun } from './types.ts';

export type BwrapParts = Readonly<{ bwrap: Launch; prlimit: string; filterPath: string; childrenFilterPath: string; workDir: string }>;

/** `nobody`: inside, no name of this machine's accounts means anything. */
const INNER_ID = '65534';
const FILTER_FD = 3;

/** Runs a program under bubblewrap: all namespaces, an empty read-only root, one small writable /tmp, a system call filter, rlimits. */
export async function runInBwrap(parts: BwrapParts, input: SandboxRun, signal: AbortSignal): Promise<SandboxResult> {
  const filter = await open(input.children === true ? parts.childrenFilterPath : parts.filterPath, 'r');
  try {
    return await execute(
      {
        argv: [parts.prlimit, ...prlimitArgs(input.limits, 'none'), ...parts.bwrap.command, ...isolation(input)],
        env: parts.bwrap.env,
        cwd: parts.workDir,
        stdin: input.stdin,
        filterFd: filter.fd,
        timeoutMs: input.limits.timeoutMs,
        maxOutputBytes: input.limits.maxOutputBytes,
      },
      signal,
    );
  } finally {
    await filter.close();
  }
}

function isolation(input: SandboxRun): readonly string[] {
  const tool = `/tool/${basename(input.command)}`;
  return [
    '--unshare-all',
    '--unshare-user',
    ...['--uid', INNER_ID, '--gid', INNER_ID, '--hostname', 'sandbox'],
    '--die-with-parent',
    '--new-session',
    ...['--cap-drop', 'ALL'],
    ...['--ro-bind', input.command, tool],
    ...input.readOnly.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    ...['--size', String(input.limits.maxFileBytes), '--tmpfs', '/tmp'],
    ...['--remount-ro', '/'],
    ...['--chdir', input.cwd],
    '--clearenv',
    ...Object.entries(input.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--seccomp', String(FILTER_FD)],
    ...['--', tool, ...input.args],
  ];
}

/** What a program with network needs of the system: its programs, libraries, resolver and certificates; nothing of /home, /root, /var, /run. */
const SYSTEM_PATHS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
  '/etc/ld.so.cache',
  '/etc/passwd',
] as const;

/** Argument prefix that keeps the network. Later arguments win, so that a writable folder may lie below a read-only one. */
export function bwrapLauncher(bwrap: Launch, input: LauncherInput): Launch {
  return {
    command: [
      ...bwrap.command,
      ...[
        '--unshare-user',
        '--unshare-pid',
        '--unshare-ipc',
        '--unshare-uts',
        '--unshare-cgroup-try',
        '--die-with-parent',
        '--new-session',
      ],
      ...['--cap-drop', 'ALL'],
      ...SYSTEM_PATHS.flatMap((path) => ['--ro-bind-try', path, path]),
      ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
      ...input.readOnly.flatMap((path) => ['--ro-bind', path, path]),
      ...input.writable.flatMap((path) => ['--bind', path, path]),
      '--',
    ],
    env: bwrap.env,
  };
}

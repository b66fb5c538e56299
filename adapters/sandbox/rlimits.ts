import { access, constants } from 'node:fs/promises';
import type { SandboxLimits } from './types.ts';

const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin'] as const;
/** What runtimes reserve without using: Go's page summaries, thread stacks. */
const RESERVED_BYTES = 2 * 1024 ** 3;
const MAX_OPEN_FILES = 256;

/** Absolute path of one of the system's own programs, or null. PATH is not asked: a tenant's program must never stand in for it. */
export async function systemProgram(name: string): Promise<string | null> {
  for (const folder of SYSTEM_FOLDERS) {
    const path = `${folder}/${name}`;
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * Arguments of util-linux `prlimit`, up to and with the `--` before the program. Soft and hard limits are equal: the program cannot raise them.
 * RLIMIT_NPROC counts every process of an account, the plane's own too, so that it is only set (`count`) where the program has an account or user namespace of its own.
 */
export function prlimitArgs(limits: SandboxLimits, count: 'processes' | 'none'): readonly string[] {
  return [
    `--data=${limits.maxMemoryBytes}`,
    `--as=${limits.maxMemoryBytes + RESERVED_BYTES}`,
    `--cpu=${limits.maxCpuSeconds}`,
    `--fsize=${limits.maxFileBytes}`,
    ...(count === 'processes' ? [`--nproc=${limits.maxProcesses}`] : []),
    `--nofile=${MAX_OPEN_FILES}`,
    '--core=0',
    '--',
  ];
}

import { join } from 'node:path';
import { execute } from './execute.ts';
import { prlimitArgs } from './rlimits.ts';
import { stage } from './stage.ts';
import type { SandboxResult, SandboxRun } from './types.ts';

/** Only what the operator allowed by WEIR_SANDBOX=weak: process group, rlimits, fixed environment, own folder. Files and network stay in reach. */
export async function runWeak(
  parts: Readonly<{ prlimit: string; workDir: string }>,
  input: SandboxRun,
  signal: AbortSignal,
): Promise<SandboxResult> {
  const staged = await stage(parts.workDir, input, true);
  try {
    return await execute(
      {
        argv: [parts.prlimit, ...prlimitArgs(input.limits, 'none'), join(staged.root, staged.tool), ...input.args],
        env: { ...input.env, TMPDIR: join(staged.root, 'tmp'), HOME: join(staged.root, 'tmp') },
        cwd: join(staged.root, input.cwd),
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

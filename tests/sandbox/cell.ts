import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownRuntime } from '#adapters/sandbox/own-runtime.ts';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import type { Sandbox, SandboxLimits, SandboxMode, SandboxResult } from '#adapters/sandbox/types.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';

export const never = new AbortController().signal;
export const strongModes = ['bwrap', 'unshare'] as const;

export type Cell = Readonly<{
  root: string;
  sandbox: Sandbox;
  /** Runs a text as JavaScript in the sandbox: Node is the program, `program` its only file. */
  script(
    program: string,
    options?: Readonly<{
      limits?: Partial<SandboxLimits>;
      signal?: AbortSignal;
      stdin?: Uint8Array;
      env?: Readonly<Record<string, string>>;
    }>,
  ): Promise<SandboxResult>;
  close(): Promise<void>;
}>;

const roomy: SandboxLimits = {
  timeoutMs: 20_000,
  maxOutputBytes: 1_000_000,
  maxMemoryBytes: 2 ** 40,
  maxCpuSeconds: 20,
  maxProcesses: 60,
  maxFileBytes: 1_000_000,
};

export async function openCell(mode: SandboxMode): Promise<Cell> {
  const root = await mkdtemp(join(tmpdir(), 'weir-sandbox-'));
  const { bwrap } = await loadToolPaths({ only: ['bwrap'] });
  const sandbox = await createSandbox({ mode, bwrap, workDir: join(root, 'sandbox'), signal: never });
  const runtime = await ownRuntime();
  let count = 0;
  return {
    root,
    sandbox,
    async script(program, options = {}) {
      count += 1;
      const path = join(root, `program-${count}.mjs`);
      await writeFile(path, program);
      return sandbox.run(
        {
          ...runtime,
          args: ['--no-warnings', 'program.mjs'],
          cwd: '/program',
          readOnly: [{ from: path, to: '/program/program.mjs' }, ...runtime.readOnly],
          ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
          env: { ...runtime.env, ...options.env },
          limits: { ...roomy, ...options.limits },
        },
        options.signal ?? never,
      );
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

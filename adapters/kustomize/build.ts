import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactTree } from './artifact-tree.ts';
import type { Closure } from './prescan/prescan.ts';
import { readableError } from './redact.ts';
import { refuse } from './refusal.ts';

/** What is needed of `adapters/sandbox` (adapters do not know each other: the composition root passes it in). */
export type BuildSandbox = Readonly<{
  mode: string;
  run(
    input: Readonly<{
      command: string;
      args: readonly string[];
      cwd: string;
      readOnly: readonly Readonly<{ from: string; to: string }>[];
      env: Readonly<Record<string, string>>;
      limits: Readonly<{
        timeoutMs: number;
        maxOutputBytes: number;
        maxMemoryBytes: number;
        maxCpuSeconds: number;
        maxProcesses: number;
        maxFileBytes: number;
      }>;
    }>,
    signal: AbortSignal,
  ): Promise<Readonly<{ exitCode: number; stoppedBy: 'timeout' | 'output' | null; stdout: Buffer; stderr: string }>>;
}>;

export const BUILD_LIMITS = Object.freeze({
  timeoutMs: 90_000,
  maxOutputBytes: 64 * 1024 * 1024,
  maxMemoryBytes: 1024 ** 3,
  maxCpuSeconds: 60,
  maxProcesses: 128,
  maxFileBytes: 1024 ** 2,
});

/** Nothing of ours reaches kustomize. Its homes, and helm's, are one folder that does not exist in the sandbox. */
const ENVIRONMENT: Readonly<Record<string, string>> = Object.freeze({
  PATH: '/nonexistent',
  HOME: '/nonexistent',
  XDG_CONFIG_HOME: '/nonexistent',
  XDG_CACHE_HOME: '/nonexistent',
  KUSTOMIZE_PLUGIN_HOME: '/nonexistent',
  HELM_CONFIG_HOME: '/nonexistent',
  HELM_CACHE_HOME: '/nonexistent',
  HELM_DATA_HOME: '/nonexistent',
  HELM_PLUGINS: '/nonexistent',
  TMPDIR: '/tmp',
  GOMEMLIMIT: '768MiB',
  // Short runs: collecting less often halves the processor time (60 to 35 ms), for 10 MB more.
  GOGC: '400',
  GOMAXPROCS: '2',
});

export type BuildInput = Readonly<{
  sandbox: BuildSandbox;
  kustomize: string;
  workDir: string;
  tree: ArtifactTree;
  closure: Closure;
  timeoutMs: number;
}>;

/**
 * Runs `kustomize build` over a closure and returns its output. Only the closure's files exist for it, so that it can read nothing that is not in the
 * digest; files outside the kustomization's folder are then harmless, as in Flux. Throws buildFailed with kustomize's reason, or the limit that ended it.
 */
export async function runKustomize(input: BuildInput, signal: AbortSignal): Promise<string> {
  const inputDir = await mkdtemp(join(input.workDir, 'input-'));
  try {
    await chmod(inputDir, 0o755);
    await writeClosure(inputDir, input.tree, input.closure);
    return await runBuild(
      { sandbox: input.sandbox, kustomize: input.kustomize, inputDir, root: input.closure.root, timeoutMs: input.timeoutMs },
      signal,
    );
  } finally {
    await rm(inputDir, { recursive: true, force: true });
  }
}

export type RunBuild = Readonly<{ sandbox: BuildSandbox; kustomize: string; inputDir: string; root: string; timeoutMs: number }>;

/** `kustomize build` of a folder below `inputDir`, which is all that exists for it. Throws as runKustomize. */
export async function runBuild(input: RunBuild, signal: AbortSignal): Promise<string> {
  const { inputDir } = input;
  const timeoutMs = Math.min(input.timeoutMs, BUILD_LIMITS.timeoutMs);
  const result = await input.sandbox.run(
    {
      command: input.kustomize,
      args: ['build', '.', '--load-restrictor', 'LoadRestrictionsNone'],
      cwd: input.root === '' ? '/in' : `/in/${input.root}`,
      readOnly: [{ from: inputDir, to: '/in' }],
      env: ENVIRONMENT,
      limits: { ...BUILD_LIMITS, timeoutMs },
    },
    signal,
  );
  if (result.stoppedBy === 'timeout') throw refuse(`kustomize build did not end within ${timeoutMs} ms, the time limit`);
  if (result.stoppedBy === 'output') throw refuse(`kustomize build wrote more than ${BUILD_LIMITS.maxOutputBytes} bytes, the limit`);
  if (result.exitCode === 0) return result.stdout.toString('utf8');
  throw refuse(`kustomize build failed: ${reasonOf(result, inputDir)}`);
}

function reasonOf(result: Readonly<{ exitCode: number; stderr: string }>, inputDir: string): string {
  if (result.exitCode === 137 || result.exitCode === 152)
    return `it used more than ${BUILD_LIMITS.maxCpuSeconds} s of processor time, the limit`;
  if (/out of memory|cannot allocate memory/.test(result.stderr))
    return `it needed more than ${BUILD_LIMITS.maxMemoryBytes} bytes of memory, the limit`;
  return readableError(result.stderr, inputDir) || `it ended with code ${result.exitCode}`;
}

async function writeClosure(inputDir: string, tree: ArtifactTree, closure: Closure): Promise<void> {
  await mkdir(join(inputDir, closure.root), { recursive: true });
  for (const path of closure.files.keys()) if (!closure.kustomizations.has(path)) await place(inputDir, path, await tree.read(path));
  for (const [path, text] of closure.kustomizations) await place(inputDir, path, text);
}

async function place(inputDir: string, path: string, content: Buffer | string): Promise<void> {
  const target = join(inputDir, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content, { mode: 0o644, flag: 'wx' });
}

import { chmod, cp, link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import type { SandboxRun } from './types.ts';

export type Stage = Readonly<{ root: string; tool: string; dispose(): Promise<void> }>;

const COPY_ON_WRITE_IF_POSSIBLE = 2;

/**
 * A fresh folder that holds copies of exactly what a run may see: the root of the unshare mode, the working folder of the weak mode.
 * Copies: what the program does to them reaches nobody else. Only the program itself is linked when `linkTool` says that the run's account cannot
 * write to it (16 MB less to copy). The caller disposes.
 */
export async function stage(workDir: string, input: SandboxRun, linkTool: boolean): Promise<Stage> {
  const root = await mkdtemp(join(workDir, 'run-'));
  try {
    await chmod(root, 0o755);
    const tool = `/tool/${basename(input.command)}`;
    if (!linkTool || !(await linkInto(root, input.command, tool))) await copyInto(root, input.command, tool);
    for (const { from, to } of input.readOnly) await copyInto(root, from, to);
    await mkdir(join(root, 'tmp'));
    await chmod(join(root, 'tmp'), 0o1777);
    return { root, tool, dispose: () => rm(root, { recursive: true, force: true }) };
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}

/** False when the program lies on another file system (or links are not allowed): then it is copied. */
async function linkInto(root: string, from: string, to: string): Promise<boolean> {
  await mkdir(dirname(join(root, to)), { recursive: true });
  try {
    await link(from, join(root, to));
    return true;
  } catch {
    return false;
  }
}

async function copyInto(root: string, from: string, to: string): Promise<void> {
  if (normalize(to) !== to || !to.startsWith('/')) throw new Error(`not an absolute clean path: ${to}`);
  const target = join(root, to);
  await mkdir(dirname(target), { recursive: true });
  await cp(from, target, {
    recursive: true,
    errorOnExist: true,
    force: false,
    dereference: to.startsWith('/tool/') || to.startsWith('/lib'),
    mode: COPY_ON_WRITE_IF_POSSIBLE,
  });
}

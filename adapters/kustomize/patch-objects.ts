import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KustomizePatches } from '#core/helm.ts';
import { stringifyJson } from '#core/json.ts';
import type { Manifest } from '#core/ports.ts';
import { type BuildSandbox, runBuild } from './build.ts';
import { splitDocuments } from './objects.ts';
import { readDocuments } from './off-thread.ts';

export type PatchTools = Readonly<{ sandbox: BuildSandbox; kustomize: string; workDir: string }>;

/**
 * Objects after kustomize's patches and images, in the sandbox, which sees nothing but them. The kustomization is ours and has no field that names a file
 * or an address besides. Throws AppError buildFailed with kustomize's reason.
 */
export async function patchObjects(
  { sandbox, kustomize, workDir }: PatchTools,
  objects: readonly Manifest[],
  { patches, images }: KustomizePatches,
  signal: AbortSignal,
): Promise<readonly Manifest[]> {
  const inputDir = await mkdtemp(join(workDir, 'patch-'));
  try {
    await chmod(inputDir, 0o755);
    const inline = patches.map(({ patch, target }) => ({ patch: patch ?? '', ...(target === undefined ? {} : { target }) }));
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['all.yaml'],
      patches: inline,
      images,
    };
    await writeFile(join(inputDir, 'all.yaml'), objects.map((one) => `---\n${stringifyJson(one)}\n`).join(''), { mode: 0o644 });
    await writeFile(join(inputDir, 'kustomization.yaml'), stringifyJson(kustomization), { mode: 0o644 });
    const output = await runBuild({ sandbox, kustomize, inputDir, root: '', timeoutMs: PATCH_TIMEOUT_MS }, signal);
    return (await readDocuments(splitDocuments(output), signal)).map((one) => one.object);
  } finally {
    await rm(inputDir, { recursive: true, force: true });
  }
}

const PATCH_TIMEOUT_MS = 60_000;

import type { JsonObject } from '#core/json.ts';
import type { ArtifactTree } from './artifact-tree.ts';
import { refuse } from './refusal.ts';

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** The kustomization file of a folder, or null. Throws buildFailed when there are several, as kustomize does. Pure. */
export function kustomizationFileOf(tree: ArtifactTree, folder: string): string | null {
  const found = FILE_NAMES.map((name) => (folder === '' ? name : `${folder}/${name}`)).filter((path) => tree.files.has(path));
  if (found.length > 1) throw refuse(`the folder ${folder || '.'} has more than one kustomization file: ${found.join(', ')}`);
  return found[0] ?? null;
}

/**
 * A kustomization for a folder that has none, as Flux makes it (fluxcd/pkg kustomize, `generateKustomization`): every .yaml and .yml below is a resource, and
 * a folder with its own kustomization file is one entry that is not looked into. Whether each file is a manifest is for kustomize to say.
 * Entries begin with `./`, so that a folder called like a host is not taken for one. Pure.
 */
export function generateKustomization(tree: ArtifactTree, root: string): JsonObject {
  const inside = root === '' ? '' : `${root}/`;
  const resources = new Set<string>();
  for (const path of [...tree.files.keys()].sort()) {
    if (!path.startsWith(inside) || !/\.ya?ml$/.test(path)) continue;
    resources.add(entryFor(tree, inside, path.slice(inside.length)));
  }
  for (const folder of [...tree.folders].sort()) {
    if (folder === root || !folder.startsWith(inside)) continue;
    const entry = outermostBuild(tree, inside, folder.slice(inside.length).split('/'));
    if (entry !== null) resources.add(entry);
  }
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...resources].sort().map((entry) => `./${entry}`),
  };
}

function entryFor(tree: ArtifactTree, inside: string, relative: string): string {
  return outermostBuild(tree, inside, relative.split('/').slice(0, -1)) ?? relative;
}

/** The first folder on the way down that has its own kustomization file, or null. */
function outermostBuild(tree: ArtifactTree, inside: string, parts: readonly string[]): string | null {
  for (let count = 1; count <= parts.length; count += 1) {
    const folder = parts.slice(0, count).join('/');
    if (kustomizationFileOf(tree, `${inside}${folder}`) !== null) return folder;
  }
  return null;
}

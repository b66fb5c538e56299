import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const folders = ['core', 'kinds', 'adapters', 'services', 'workers', 'deploy', 'tests', 'tools', 'bin'];
const never: ReadonlySet<string> = new Set(['node_modules', '.weir']);
/** Inputs of tests: not our code, whatever their names end with. */
const inputs: ReadonlySet<string> = new Set(['fixtures', 'corpus']);

/** Every TypeScript file of the source folders, relative to `root`, sorted: what each check must have seen. */
export async function typescriptFiles(root: string): Promise<readonly string[]> {
  return await filesWhere(root, (path) => /\.m?ts$/.test(path) && !path.split('/').some((part) => inputs.has(part)));
}

/** The other files that code can import: JSON and plain JavaScript. */
export async function importableFiles(root: string): Promise<readonly string[]> {
  return await filesWhere(root, (path) => /\.(json|js|cjs|mjs)$/.test(path));
}

async function filesWhere(root: string, wanted: (path: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  const there = (await readdir(root, { withFileTypes: true })).filter((one) => one.isDirectory()).map((one) => one.name);
  for (const folder of folders.filter((name) => there.includes(name))) await collect(root, folder, found);
  return found.filter(wanted).sort();
}

async function collect(root: string, folder: string, found: string[]): Promise<void> {
  for (const one of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${one.name}`;
    if (one.isDirectory() && !never.has(one.name)) await collect(root, path, found);
    if (one.isFile()) found.push(path);
  }
}

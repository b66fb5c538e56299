import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Cruised, cruiseTree } from './cruise.ts';

/** `await using x = …` and `using x = …`: dependency-cruiser 17.4 ends with "Unknown statement type" at them. */
const usingDeclaration = /\b(?:await\s+)?using(?=\s+[\w$]+\s*=)/g;

/** Writes the given sources (path → text) into a temporary tree with this repository's package.json, packages and `others`, and cruises that. */
export async function cruiseSources(root: string, sources: Readonly<Record<string, string>>, others: readonly string[]): Promise<Cruised> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-boundaries-'));
  try {
    const tops = new Set<string>();
    for (const [path, code] of Object.entries(sources)) {
      tops.add(path.split('/')[0] ?? path);
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), code.replace(usingDeclaration, 'const'));
    }
    for (const path of others) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await symlink(join(root, path), join(folder, path));
    }
    await writeFile(join(folder, 'package.json'), await readFile(join(root, 'package.json')));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    return await cruiseTree(folder, [...tops]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

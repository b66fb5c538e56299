import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Cruised, cruiseTree } from './cruise.ts';
import { forbidden, forbiddenAtRunTime } from './rules.ts';

/** `await using x = …` and `using x = …`: dependency-cruiser 17.4 ends with "Unknown statement type" at them. */
const usingDeclaration = /\b(?:await\s+)?using(?=\s+[\w$]+\s*=)/g;

/** One `import type … ;` or `export type … from … ;` statement, as Biome formats it. */
const typeOnly = /^(?:import|export) type [^;]*? from '[^']*';$/gm;

/** dependency-cruiser reads no `.mts`: in the temporary tree such a file, and an import of it, gets `.ts` behind its name. */
const moduleImport = /\.mts'/g;

export type Tree = Readonly<{ root: string; sources: Readonly<Record<string, string>>; others: readonly string[] }>;

/**
 * Writes the sources (path → text) into a temporary tree with this repository's package.json, packages and `others`, and cruises that
 * twice: with all imports by the rules for all, without type imports by the rules for what runs. `files` are those of the first look.
 */
export async function cruiseSources(tree: Tree): Promise<Cruised> {
  const all = await cruiseOnce(tree, (code) => code, forbidden);
  const running = await cruiseOnce(tree, (code) => code.replace(typeOnly, ''), forbiddenAtRunTime);
  return { files: all.files, violations: [...all.violations, ...running.violations] };
}

async function cruiseOnce({ root, sources, others }: Tree, edit: (code: string) => string, rules: typeof forbidden): Promise<Cruised> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-boundaries-'));
  try {
    const tops = new Set<string>();
    for (const [path, code] of Object.entries(sources)) {
      tops.add(path.split('/')[0] ?? path);
      const file = join(folder, path.replace(/\.mts$/, '.mts.ts'));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, edit(code).replace(usingDeclaration, 'const').replace(moduleImport, ".mts.ts'"));
    }
    for (const path of others) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await symlink(join(root, path), join(folder, path));
    }
    await writeFile(join(folder, 'package.json'), await readFile(join(root, 'package.json')));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    return await cruiseTree(folder, [...tops], rules);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

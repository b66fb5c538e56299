import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { run } from './run.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The first executable of that name in PATH (absolute folders only), or undefined. */
export async function findInPath(name: string, env: Environment): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder) || folder.includes('node_modules')) continue;
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      async () => (await stat(path)).isFile(),
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

/** Whether the program at `path` says the wanted version within 5 s. */
export async function saysVersion(path: string, args: readonly string[], pattern: RegExp, env: Environment): Promise<boolean> {
  const result = await run(path, args, { env, timeoutMs: 5_000, maxBytes: 64 * 1024 });
  return result.ok && pattern.test(result.stdout);
}

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A stand-in named `git` that stands first in PATH, writes down arguments and environment, and goes on with the real git. */
export type GitShim = Readonly<{
  path: string;
  calls(): Promise<readonly Readonly<{ words: readonly string[]; environment: Readonly<Record<string, string>> }>[]>;
  close(): Promise<void>;
}>;

export async function openGitShim(body = 'exec "$WEIR_REAL_GIT" "$@"'): Promise<GitShim> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-shim-'));
  const log = join(directory, 'log');
  const path = process.env['PATH'] ?? '';
  await writeFile(
    join(directory, 'git'),
    `#!/bin/sh\n{ printf '%s\\0' "$#" "$@"; env -0; printf '\\0'; } >> '${log}'\nPATH='${path}'; WEIR_REAL_GIT=$(command -v git); ${body}\n`,
  );
  await chmod(join(directory, 'git'), 0o755);
  return {
    path: `${directory}:${path}`,
    async calls() {
      const parts = (await readFile(log, 'utf8').catch(() => '')).split('\0');
      const calls = [];
      let at = 0;
      while (at < parts.length - 1) {
        const count = Number(parts[at]);
        const words = parts.slice(at + 1, at + 1 + count);
        const end = parts.indexOf('', at + 1 + count);
        const environment = Object.fromEntries(
          parts.slice(at + 1 + count, end).map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
        );
        calls.push({ words, environment });
        at = end + 1;
      }
      return calls;
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

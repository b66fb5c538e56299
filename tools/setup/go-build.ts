import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { goFlags, type PinnedTool } from '../binaries.ts';
import { type Environment, findInPath } from './path-binary.ts';
import { lastLines, run } from './run.ts';

const modules = resolve(import.meta.dirname, '../go');
const buildTimeoutMs = 60 * 60_000;

/** Changes whenever what is built changes: module files (of a program of our own, its sources), package, flags. Part of the cache folder's name. */
export async function buildHash(tool: PinnedTool): Promise<string> {
  const folder = join(modules, tool.go.module);
  const hash = createHash('sha256');
  for (const file of await inputsOf(tool, folder)) hash.update(await readFile(join(folder, file)));
  hash.update(JSON.stringify([goFlags, tool.go.package, tool.go.ldflags]));
  return hash.digest('hex').slice(0, 12);
}

/** A module that is pinned is told by its two files; one that is here by everything in it. */
async function inputsOf(tool: PinnedTool, folder: string): Promise<readonly string[]> {
  if (tool.go.package !== '.') return ['go.mod', 'go.sum'];
  return (await readdir(folder)).filter((name) => name === 'go.mod' || name.endsWith('.go')).toSorted();
}

/** Builds the tool from its pinned module into `file`. Returns undefined, or in one text why it could not and what to do. */
export async function goBuild(tool: PinnedTool, file: string, env: Environment): Promise<string | undefined> {
  const go = await findInPath('go', env);
  if (go === undefined) return 'Go is not in PATH: install Go 1.26 or newer';
  const ldflags = [goFlags.ldflags, tool.go.ldflags].filter((one) => one !== '').join(' ');
  const args = ['build', ...goFlags.args, '-ldflags', ldflags, '-o', file, tool.go.package];
  const cwd = join(modules, tool.go.module);
  const result = await run(go, args, { cwd, env: { ...env, ...goFlags.env }, timeoutMs: buildTimeoutMs, maxBytes: 16 * 1024 * 1024 });
  if (result.ok) return undefined;
  return `go build failed (${result.why}); Go 1.26 or newer and its module proxy are needed:\n${lastLines(result.stderr, 8)}`;
}

import { join } from 'node:path';
import type { PinnedTool, Platform } from '../binaries.ts';
import { cacheRoot, type Entry, fillEntry, findEntry } from './cache.ts';
import { fetchRelease } from './download.ts';
import { buildHash, goBuild } from './go-build.ts';
import { type Environment, findInPath, saysVersion } from './path-binary.ts';
import type { Progress } from './progress.ts';

export type Obtained = Readonly<{ is: 'found'; path: string }> | Readonly<{ is: 'missing'; why: string }>;

/** Where a tool is without building or fetching anything: PATH with the right version, else the cache with the right checksum. */
export async function locate(tool: PinnedTool, env: Environment, progress: Progress): Promise<string | undefined> {
  const inPath = await findInPath(tool.name, env);
  if (inPath !== undefined && (await saysVersion(inPath, tool.versionArgs, tool.versionPattern, env))) return inPath;
  return await findEntry(await entryOf(tool, env), () =>
    progress.say(`${tool.name}: the cached program does not have its checksum, made anew`),
  );
}

/** Brings a tool that `locate` did not find: `go build` of the pinned module, else the official release with its checksum. Never throws for a missing tool. */
export async function obtain(tool: PinnedTool, env: Environment, progress: Progress): Promise<Obtained> {
  const entry = await entryOf(tool, env);
  const onWait = (): void => progress.say(`${tool.name}: another set-up is making it, waiting`);
  try {
    const path = await fillEntry(entry, onWait, async (folder) => {
      const built = await build(tool, join(folder, tool.name), env, progress);
      if (built === undefined) return;
      const fetched = await fetchTool(tool, folder, env, progress);
      if (fetched === undefined) return;
      throw new Error(`${built}; ${fetched}`);
    });
    if (!(await saysVersion(path, tool.versionArgs, tool.versionPattern, env)))
      return { is: 'missing', why: `${path} does not say version ${tool.version}` };
    return { is: 'found', path };
  } catch (error) {
    return { is: 'missing', why: error instanceof Error ? error.message : String(error) };
  }
}

async function build(tool: PinnedTool, file: string, env: Environment, progress: Progress): Promise<string | undefined> {
  const name = `${tool.name} ${tool.version}: go build (first time on two cores: ${tool.buildHint})`;
  return await progress.step(name, () => goBuild(tool, file, env));
}

async function fetchTool(tool: PinnedTool, folder: string, env: Environment, progress: Progress): Promise<string | undefined> {
  const { download, name } = tool;
  if (download === undefined) return 'no checksum of its official release is pinned, so it is not downloaded';
  const platform = platformOf();
  if (platform === undefined) return `no release is pinned for ${process.platform} ${process.arch}`;
  const mirror = env['WEIR_TOOLS_MIRROR'];
  return await progress.step(`${name} ${tool.version}: download`, () => fetchRelease({ download, platform, mirror, folder, name }));
}

async function entryOf(tool: PinnedTool, env: Environment): Promise<Entry> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const folder = `${tool.name}-${tool.version}-${process.platform}-${arch}-${await buildHash(tool)}`;
  return { folder: join(cacheRoot(env), folder), file: tool.name };
}

function platformOf(): Platform | undefined {
  if (process.platform !== 'linux') return undefined;
  if (process.arch === 'x64') return 'linux-amd64';
  return process.arch === 'arm64' ? 'linux-arm64' : undefined;
}

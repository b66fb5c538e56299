import { parseArgs } from 'node:util';
import { pinnedTools } from './binaries.ts';
import type { Launch } from './setup/debian.ts';
import { locate, obtain } from './setup/obtain.ts';
import { makeProgress } from './setup/progress.ts';
import { obtainServer, serverTools } from './setup/servers.ts';

const usage = 'usage: npm run setup -- [--json] [--only kustomize,redis,…]';

/**
 * Brings every tool that demo and tests need. Steps go to stderr; with --json the last line on stdout is one object
 * `{"kustomize": "/path" | null, …, "redis": {command, env} | null, "bwrap": … }`.
 * Exit code 1 when a pinned program cannot be had; Redis and bubblewrap have a stand-in and are only reported.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string' } } });
  const only = wantedNames(values.only);
  const env = process.env;
  const progress = makeProgress((line) => process.stderr.write(line));
  const wanted = pinnedTools.filter((one) => only.has(one.name));
  const located = await Promise.all(wanted.map(async (tool) => ({ tool, path: await locate(tool, env, progress) })));
  const result: Record<string, string | Launch | null> = {};
  let missing = 0;
  for (const server of serverTools.filter((one) => only.has(one.name))) result[server.name] = await obtainServer(server, env, progress);
  for (const { tool, path } of located) {
    const got = path === undefined ? await obtain(tool, env, progress) : ({ is: 'found', path } as const);
    result[tool.name] = got.is === 'found' ? got.path : null;
    if (got.is === 'found') continue;
    missing += 1;
    progress.say(`${tool.name} ${tool.version} cannot be had: ${got.why}`);
    progress.say(`Next: install Go 1.26 or newer, or put ${tool.name} ${tool.version} into PATH, then run \`npm run setup\` again`);
  }
  progress.say(missing === 0 ? `tools are ready: ${Object.keys(result).join(', ')}` : `${missing} of ${only.size} tools are missing`);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = missing === 0 ? 0 : 1;
}

function wantedNames(only: string | undefined): ReadonlySet<string> {
  const known = [...pinnedTools, ...serverTools].map((one) => one.name);
  if (only === undefined) return new Set(known);
  const names = only.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0 || names.length === 0) throw new Error(`${usage}\nunknown: ${unknown.join(', ')}; known: ${known.join(', ')}`);
  return new Set(names);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

import { type DebianProgram, type Launch, unpackDebian } from './debian.ts';
import { type Environment, findInPath } from './path-binary.ts';
import type { Progress } from './progress.ts';
import { run } from './run.ts';

export type ServerTool = Readonly<{ name: string; inPath: readonly string[]; debian: DebianProgram; without: string }>;

/** Programs that come from the distribution: from PATH, else unpacked from its packages, else not at all, and then it is said what happens instead. */
export const serverTools: readonly ServerTool[] = [
  {
    name: 'redis',
    inPath: ['redis-server', 'valkey-server'],
    debian: {
      name: 'redis',
      packages: ['redis-server', 'redis-tools'],
      binary: 'usr/bin/redis-server',
      versionPattern: /\bv=([7-9]|[1-9]\d)\./,
    },
    without:
      "the queue runs on BullMQ's PostgreSQL backend instead; `apt-get install redis-server` as root, or WEIR_REDIS_URL, brings Redis",
  },
  {
    name: 'bwrap',
    inPath: ['bwrap'],
    debian: { name: 'bubblewrap', packages: ['bubblewrap'], binary: 'usr/bin/bwrap', versionPattern: /^bubblewrap \d/m },
    without: 'the sandbox uses unshare instead; `apt-get install bubblewrap` as root brings it',
  },
  {
    name: 'registry',
    inPath: ['docker-registry'],
    debian: {
      name: 'docker-registry',
      packages: ['docker-registry'],
      binary: 'usr/bin/docker-registry',
      versionPattern: /docker\/distribution v?[2-9]\./,
    },
    without: 'tests of OCI sources cannot run; `apt-get install docker-registry` as root brings it',
  },
];

/** How to start the program, or null after saying why not and what to do. */
export async function obtainServer(tool: ServerTool, env: Environment, progress: Progress): Promise<Launch | null> {
  for (const name of tool.inPath) {
    const path = await findInPath(name, env);
    if (path === undefined) continue;
    const said = await run(path, ['--version'], { env, timeoutMs: 5_000, maxBytes: 64 * 1024 });
    if (said.ok && tool.debian.versionPattern.test(said.stdout)) return { command: [path], env: {} };
    progress.say(`${path} is not used: ${said.ok ? `its version is too old (${said.stdout.trim()})` : said.why}`);
  }
  const unpacked = await unpackDebian(tool.debian, env, progress);
  if (unpacked.is === 'found') return unpacked.launch;
  progress.say(`${tool.name} is not there: ${unpacked.why}. Next: ${tool.without}`);
  return null;
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Children } from '#deploy/local/children.ts';
import { startCluster } from '#deploy/local/cluster.ts';
import { startPostgres } from '#deploy/local/postgres.ts';
import { startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { startDemo } from '#tests/harness/demo.ts';
import type { SharedCluster, SharedDemo, SharedPostgres, SharedRedis } from '#tests/harness/parts.ts';

type Starters = Readonly<Record<string, () => Promise<SharedPostgres | SharedRedis | SharedCluster | SharedDemo | SharedAttackPlane>>>;

/**
 * Owns the real parts that all test files of a run share, and starts each when the first file asks for it: a run of unit tests pays nothing,
 * and a part outlives the worker that wanted it. Listens on a socket in the run's own folder. Returns the socket and how to end.
 */
export async function serveParts(children: Children, runDir: string): Promise<Readonly<{ socketPath: string; close(): Promise<void> }>> {
  const starters = startersOf(children, runDir);
  const started = new Map<string, Promise<unknown>>();
  const server = createServer((request, reply) => {
    void answer(starters, started, request, reply);
  });
  const socketPath = join(runDir, 'parts.sock');
  server.listen(socketPath);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    // A part that is just starting must be up before it can be stopped; one that failed has cleaned up after itself.
    await Promise.allSettled(started.values());
  };
  return { socketPath, close };
}

async function answer(
  starters: Starters,
  started: Map<string, Promise<unknown>>,
  request: IncomingMessage,
  reply: ServerResponse,
): Promise<void> {
  const name = request.url?.slice(1) ?? '';
  const start = starters[name];
  try {
    if (start === undefined) throw new Error(`there is no shared part ${name}`);
    const part = started.get(name) ?? start();
    started.set(name, part);
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await part));
  } catch (error) {
    // Each file that asks gets the same reason; the start is not tried again.
    reply.writeHead(500, { 'content-type': 'text/plain' }).end(error instanceof Error ? error.message : String(error));
  }
}

function startersOf(children: Children, runDir: string): Starters {
  return {
    postgres: async () => {
      const settings = { max_connections: '300' };
      const { superuserUrl, host, port } = await startPostgres(children, { dir: join(runDir, 'postgres'), fsync: false, settings });
      return { superuserUrl, host, port };
    },
    redis: async () => {
      const { redis } = await loadToolPaths({ only: ['redis'] });
      if (redis === null) throw new Error('this machine has no Redis: run `npm run setup`, it says what is missing');
      const { url, host, port } = await startRedis(children, { dir: join(runDir, 'redis'), program: redis });
      return { url, host, port };
    },
    demo: () => startDemo(children, join(runDir, 'demo')),
    attackPlane: async () => (await import('#tests/harness/attack-plane.ts')).startAttackPlane(children, join(runDir, 'attack-plane')),
    cluster: async () => {
      const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
      const cluster = await startCluster(children, { dir: join(runDir, 'cluster'), name: 'shared', controllers: false, tools });
      const { name, server, caPem, admin, adminKubeconfig, adminKubeconfigPath, auditLogPath } = cluster;
      return { name, server, caPem, admin, adminKubeconfig, adminKubeconfigPath, auditLogPath };
    },
  };
}

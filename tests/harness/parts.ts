import { request } from 'node:http';
import type { Static } from 'typebox';
import { inject } from 'vitest';
import type { RunningCluster } from '#deploy/local/cluster.ts';
import type { PostgresServer } from '#deploy/local/postgres.ts';
import type { RedisServer } from '#deploy/local/redis.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import type { DemoReady } from '#tests/harness/demo.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's shared parts are asked for. */
    partsSocket: string;
  }
}

export type SharedPostgres = Pick<PostgresServer, 'superuserUrl' | 'host' | 'port'>;
export type SharedRedis = Pick<RedisServer, 'url' | 'host' | 'port'>;
export type SharedCluster = Pick<
  RunningCluster,
  'name' | 'server' | 'caPem' | 'admin' | 'adminKubeconfig' | 'adminKubeconfigPath' | 'auditLogPath'
>;

export type SharedDemo = Static<typeof DemoReady>;

type Parts = Readonly<{
  postgres: SharedPostgres;
  redis: SharedRedis;
  cluster: SharedCluster;
  demo: SharedDemo;
  attackPlane: SharedAttackPlane;
}>;

/** The run's PostgreSQL. Shared: make a database of your own with `testDatabase`, never stop or restart it. */
export function sharedPostgres(): Promise<SharedPostgres> {
  return ask('postgres');
}

/** The run's Redis. Shared: use a prefix of your own, never FLUSHALL; a test that needs to starts its own with `startRedis`. */
export function sharedRedis(): Promise<SharedRedis> {
  return ask('redis');
}

/**
 * The run's API server with etcd: no controllers, so ClusterRole `admin` is empty, namespaces have no default account, nothing runs, and a
 * deleted Namespace stays Terminating. Shared: use namespaces of your own, never stop it; a test that needs to starts its own with `startCluster`.
 */
export function testCluster(): Promise<SharedCluster> {
  return ask('cluster');
}

/**
 * The interactive demo after its story: two clusters with controllers, a plane, two tenants, everything Ready. Shared: add objects of your own names, never change what the
 * story made, never stop it.
 */
export function sharedDemo(): Promise<SharedDemo> {
  return ask('demo');
}

/**
 * A whole plane on two clusters without controllers, with its stores and people laid open for attack tests. Shared: use names of your own, never stop it, and put back what a
 * test breaks. What the tenants' accounts do on the clusters is counted by several files: use no others than the registered ones.
 */
export function attackPlane(): Promise<SharedAttackPlane> {
  return ask('attackPlane');
}

/** Starting a part may mean building it: the test runner's own limits end it. */
async function ask<Name extends keyof Parts>(name: Name): Promise<Parts[Name]> {
  const socketPath = inject('partsSocket');
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path: `/${name}`, method: 'POST' }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.once('error', reject);
      incoming.once('end', () => {
        if (incoming.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`shared ${name}: ${text}`));
      });
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

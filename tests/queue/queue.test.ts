import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { openQueues } from '#adapters/redis/queue.ts';
import type { Job } from '#core/job.ts';
import { silentLog } from '#core/log.ts';
import type { Queues } from '#core/queue.ts';
import { type RedisServer, startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { testDatabase } from '#tests/harness/database.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const dir = useTemporaryDir();
const children = useChildren();
const opened: Queues[] = [];
const servers: RedisServer[] = [];

afterEach(async () => {
  for (const queues of opened.splice(0)) await queues.close();
  for (const server of servers.splice(0)) await server.stop();
});

function job(): Job {
  return { tenantId: randomUUID(), kind: 'Kustomization', id: randomUUID(), clusterId: randomUUID() };
}

async function newRedis(): Promise<RedisServer> {
  const { redis } = await loadToolPaths({ only: ['redis'] });
  if (redis === null) throw new Error('this machine has no Redis: run `npm run setup`');
  const server = await startRedis(children, { dir: dir(), program: redis });
  servers.push(server);
  return server;
}

async function onRedis(): Promise<Queues> {
  const server = await newRedis();
  return openQueues({ on: 'redis', url: server.url, log: silentLog, lockMs: 2_000 });
}

async function onPostgres(): Promise<Queues> {
  const { superuserUrl } = await testDatabase();
  const pool = new pg.Pool({ connectionString: superuserUrl, max: 40, options: '-c search_path=bullmq' });
  pool.on('error', () => undefined);
  return openQueues({ on: 'postgres', pool, log: silentLog, lockMs: 2_000, end: () => pool.end() });
}

describe.each([
  ['Redis', onRedis],
  ['PostgreSQL', onPostgres],
] as const)('the queue on %s', (_name, open) => {
  async function queues(): Promise<Queues> {
    const made = await open();
    opened.push(made);
    return made;
  }

  test('hands a job to a worker as it was added', async () => {
    const transport = await queues();
    const taken: Job[] = [];
    transport.work('kustomize', { concurrency: 2, handle: async (one) => void taken.push(one) });
    const mine = job();
    await transport.add('kustomize', [mine]);
    await expect.poll(() => taken, { timeout: 5_000 }).toEqual([mine]);
    expect(await transport.trouble()).toBeNull();
  });

  test('runs a unit once for many adds while it waits, and once more when it is added while it runs', async () => {
    const transport = await queues();
    const mine = job();
    await transport.add('kustomize', [mine]);
    await transport.add('kustomize', [mine]);
    await transport.add('kustomize', [mine]);
    const runs: number[] = [];
    const gate = { open: (): void => undefined };
    const first = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    transport.work('kustomize', {
      concurrency: 4,
      handle: async () => {
        runs.push(Date.now());
        if (runs.length === 1) await first;
      },
    });
    await expect.poll(() => runs.length, { timeout: 5_000 }).toBe(1);
    await transport.add('kustomize', [mine]);
    await transport.add('kustomize', [mine]);
    await sleep(300);
    expect(runs.length).toBe(1);
    gate.open();
    await expect.poll(() => runs.length, { timeout: 5_000 }).toBe(2);
    await sleep(500);
    expect(runs.length).toBe(2);
  });

  test('counts what waits and what runs, and gives a closing worker its grace', async () => {
    const transport = await queues();
    const ended: string[] = [];
    const worker = transport.work('source', {
      concurrency: 1,
      handle: async (_one, signal) => {
        await sleep(400);
        ended.push(signal.aborted ? 'aborted' : 'whole');
      },
    });
    await transport.add('source', [job(), job(), job()]);
    await expect.poll(async () => (await transport.counts('source')).active, { timeout: 5_000 }).toBe(1);
    expect((await transport.counts('source')).waiting).toBe(2);
    await worker.close(5_000);
    expect(ended).toEqual(['whole']);
    expect((await transport.counts('source')).waiting).toBe(2);
  });

  test('aborts a run that outlives the grace', async () => {
    const transport = await queues();
    const seen: string[] = [];
    const gate = { started: false };
    const worker = transport.work('fleet', {
      concurrency: 1,
      handle: (_one, signal) =>
        new Promise((resolve) => {
          gate.started = true;
          signal.addEventListener('abort', () => {
            seen.push('abort');
            resolve();
          });
        }),
    });
    await transport.add('fleet', [job()]);
    // Redis counts a job as active before its handler runs; the grace is to begin after that.
    await expect.poll(() => gate.started, { timeout: 5_000 }).toBe(true);
    await worker.close(200);
    expect(seen).toEqual(['abort']);
  });
});

test('a Redis that may evict jobs is refused with what to do', async () => {
  const server = await newRedis();
  const { Redis } = await import('ioredis');
  const client = new Redis(server.url);
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  client.disconnect();
  await expect(openQueues({ on: 'redis', url: server.url, log: silentLog })).rejects.toThrow(
    'maxmemory-policy allkeys-lru: set it to noeviction',
  );
});

test('a Redis that does not answer is an error within a bounded time', async () => {
  const startedMs = Date.now();
  await expect(openQueues({ on: 'redis', url: 'redis://:x@127.0.0.1:1/0', log: silentLog })).rejects.toThrow();
  expect(Date.now() - startedMs).toBeLessThan(15_000);
});

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lockFor, openQueues } from '#adapters/redis/queue.ts';
import type { Job } from '#core/job.ts';
import { silentLog } from '#core/log.ts';
import { inheritedEnvironment } from '#deploy/demo/plane-process.ts';
import { startProcess } from '#deploy/local/process.ts';
import { startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const dir = useTemporaryDir();
const children = useChildren();
const HOLDER = fileURLToPath(new URL('./holder.ts', import.meta.url));
const LOCK_MS = 2_000;

test('a job that its worker process took into death is run by the next worker soon after the lock, and once', async () => {
  const { redis: program } = await loadToolPaths({ only: ['redis'] });
  if (program === null) throw new Error('this machine has no Redis: run `npm run setup`');
  const redis = await startRedis(children, { dir: join(dir(), 'redis'), program });
  const queues = await openQueues({ on: 'redis', url: redis.url, log: silentLog, lockMs: LOCK_MS });
  try {
    const mine: Job = { tenantId: randomUUID(), kind: 'Kustomization', id: randomUUID(), clusterId: randomUUID() };
    await queues.add('kustomize', [mine]);
    const logFile = join(dir(), 'holder.log');
    const holder = await startProcess(children, {
      name: 'holder',
      command: process.execPath,
      args: [HOLDER, redis.url, String(LOCK_MS)],
      cwd: dir(),
      lastSignal: 'SIGKILL',
      env: inheritedEnvironment(),
      logFile,
      ready: async () => (await readFile(logFile, 'utf8').catch(() => '')).includes('taken'),
      readyTimeoutMs: 20_000,
    });
    await holder.stop('SIGKILL');
    const diedMs = Date.now();
    const taken: Job[] = [];
    queues.work('kustomize', { concurrency: 1, handle: async (one) => void taken.push(one) });
    // Offered again meanwhile, as the scheduler does when the lease is over: it is one job all the same.
    await queues.add('kustomize', [mine]);
    await expect.poll(() => taken.length, { timeout: 10_000, interval: 20 }).toBeGreaterThan(0);
    expect(Date.now() - diedMs, 'lock, one look, and a little').toBeLessThan(LOCK_MS * 1.25 + 1_500);
    expect(taken[0]).toEqual(mine);
    await expect.poll(async () => (await queues.counts('kustomize')).active, { timeout: 5_000 }).toBe(0);
    // The second add came while the first was active: BullMQ runs it afterwards, and the claim in PostgreSQL drops it.
    expect(taken.length).toBeLessThanOrEqual(2);
  } finally {
    await queues.close();
    await redis.stop();
  }
});

test('a lock is never longer than the lease, nor than ten seconds', () => {
  expect([500, 2_000, 15_000, 600_000].map(lockFor)).toEqual([500, 2_000, 10_000, 10_000]);
});

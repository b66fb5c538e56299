import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { type ClientWrite, lostWrites } from '#tests/harness/fault-checker.ts';
import { storedConfigMaps, unitRows } from '#tests/harness/fault-rows.ts';
import { type FaultStage, type OwnStores, startFaultStage } from '#tests/harness/fault-stage.ts';
import { filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Faults 3, 4 and 11 of reliability.md, one smoke each: Redis emptied, Redis killed, PostgreSQL stopped in the middle, under writes and triggers. */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; history: WorkHistory; own: OwnStores } = {} as never;
const FIRST = { a: '0', b: '0', c: '0' };
const REDIS_BACK_MS = 60_000;
const SERVING_MS = 10_000;

beforeAll(async () => {
  at.stage = await startFaultStage(children, { dir: dir(), files: filesOf(FIRST), stores: 'own' });
  if (at.stage.own === null) throw new Error('the stores are to be our own');
  at.own = at.stage.own;
  at.history = await openHistory(at.stage, FIRST);
  await at.history.converged(30_000);
});

afterAll(async () => {
  at.history.stop();
  await at.stage.stop();
});

describe('the queue is lost', () => {
  it('FLUSHALL under load, again and again', async () => {
    const { history, own } = at;
    const redis = new Redis(own.redis.url, { maxRetriesPerRequest: 1 });
    try {
      for (let round = 1; round <= 5; round += 1) {
        await history.commit({ a: `flush-${round}`, [`flush-${round}`]: '1', ...(round === 1 ? {} : { [`flush-${round - 1}`]: null }) });
        await history.trigger();
        await redis.flushall();
      }
    } finally {
      redis.disconnect();
    }
    await history.converged(REDIS_BACK_MS);
    await noneOffered(REDIS_BACK_MS);
  });

  it('killed and started empty, with triggers meanwhile', async () => {
    const { history, own } = at;
    await own.redis.kill();
    await history.commit({ a: 'redis-away', 'flush-5': null });
    const fromMs = Date.now();
    await history.trigger();
    expect(Date.now() - fromMs, 'the API does not wait for Redis').toBeLessThan(1_000);
    await own.redis.start();
    await history.converged(REDIS_BACK_MS);
  });
});

it('PostgreSQL is stopped at once under load and starts again: serving within 10 s, nothing lost', async () => {
  const { stage, history, own } = at;
  const writes: ClientWrite[] = [];
  const writing = { on: true };
  const load = Promise.all(Array.from({ length: 4 }, () => keepWriting(stage, writes, writing)));
  await sleep(500);
  await history.commit({ a: 'postgres', b: null });
  await history.trigger();
  await own.postgres.stop('immediate');
  await sleep(500);
  await own.postgres.start();
  const fromMs = Date.now();
  await until('serving', SERVING_MS, 20, async () => ((await write(stage, `probe-${Date.now()}`)).outcome === 'ok' ? true : null));
  expect(Date.now() - fromMs).toBeLessThan(SERVING_MS);
  await sleep(300);
  writing.on = false;
  await load;
  expect(writes.filter((one) => one.outcome === 'ok').length, 'acknowledged writes').toBeGreaterThan(20);
  expect(writes.filter((one) => one.outcome !== 'ok').length, 'writes in the outage').toBeGreaterThan(0);
  expect(lostWrites(writes, await storedConfigMaps(await stage.databaseUrl()))).toEqual([]);
  await history.converged(20_000);
});

async function keepWriting(stage: FaultStage, writes: ClientWrite[], writing: Readonly<{ on: boolean }>): Promise<void> {
  while (writing.on) {
    writes.push(await write(stage, randomUUID()));
    await sleep(10);
  }
}

/** A create of a ConfigMap in the plane. A 5xx is no promise either way, as is no answer. */
async function write(stage: FaultStage, name: string): Promise<ClientWrite> {
  const { namespace } = stage.tenant;
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value: name } };
  const answer = await callPlane(stage.alice(), 'POST', `/api/v1/namespaces/${namespace}/configmaps`, body).catch(() => null);
  const outcome = answer === null || answer.status >= 500 ? 'unknown' : answer.status < 300 ? 'ok' : 'refused';
  return { name, outcome, generation: null, content: name };
}

async function noneOffered(timeoutMs: number): Promise<void> {
  await until('all due work is queued and done', timeoutMs, 50, async () => {
    const units = await unitRows(await at.stage.databaseUrl());
    return units.every((one) => !one.isDue) ? true : null;
  });
}

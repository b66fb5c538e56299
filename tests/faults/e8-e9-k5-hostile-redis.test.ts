import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJob } from '#core/job.ts';
import { liveObjects, writesOf } from '#tests/harness/fault-cluster.ts';
import { readRows } from '#tests/harness/fault-rows.ts';
import { type FaultStage, type OwnStores, startFaultStage } from '#tests/harness/fault-stage.ts';
import { filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Rows E8, E9 and K5 of threats.md: whoever can write Redis can cause work, never a wrong apply; whoever can read it finds ids and nothing else. */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; history: WorkHistory; own: OwnStores; redis: Redis; unit: Unit } = {} as never;
const CANARY = 'canary-0f3a';
const FIRST = { a: CANARY, b: '0' };
const UNREADABLE = 'forged-1';
const QUEUES = ['source', 'kustomize', 'helm', 'image', 'notification', 'fleet'] as const;

type Unit = Readonly<{ tenant: string; definition: string; cluster: string }>;

beforeAll(async () => {
  at.stage = await startFaultStage(children, { dir: dir(), files: filesOf(FIRST), stores: 'own' });
  if (at.stage.own === null) throw new Error('the stores are to be our own');
  at.own = at.stage.own;
  at.redis = new Redis(at.own.redis.url, { maxRetriesPerRequest: null });
  at.history = await openHistory(at.stage, FIRST);
  await at.history.converged(30_000);
  const [row] = await readRows<Unit>(
    await at.stage.databaseUrl(),
    "select tenant_id as tenant, definition_id as definition, cluster_id as cluster from weir.work where kind = 'Kustomization' and cluster_id is not null",
  );
  if (row === undefined) throw new Error('there is no delivery');
  at.unit = row;
});

afterAll(async () => {
  at.redis.disconnect();
  at.history.stop();
  await at.stage.stop();
});

describe('full write access to Redis', () => {
  it('1,200 forged and mutated jobs: 0 wrong applies, 0 crashes, and the plane works on', async () => {
    const before = await state();
    const jobs = forgeries(at.unit);
    expect(jobs.length).toBeGreaterThanOrEqual(1_000);
    for (const name of QUEUES) {
      const queue = new Queue(name, { connection: at.redis, prefix: 'weir' });
      await queue.addBulk(jobs.filter((_, index) => QUEUES[index % QUEUES.length] === name));
      await queue.close();
    }
    await rawGarbage(at.redis);
    await drained();
    expect(at.stage.plane().process.isRunning(), 'the plane lives').toBe(true);
    expect(await state()).toEqual(before);
    await at.history.commit({ b: 'after the attack' });
    await at.history.trigger();
    await at.history.converged(20_000);
  });

  it('a true job, ten times at once (fault 10): one effective apply', async () => {
    const { stage, history, unit } = at;
    await history.commit({ b: 'ten times' });
    const before = (await writesOf(stage.cluster)).length;
    await history.trigger();
    const queue = new Queue('kustomize', { connection: at.redis, prefix: 'weir' });
    const job = { tenantId: unit.tenant, kind: 'Kustomization', id: unit.definition, clusterId: unit.cluster };
    for (let round = 0; round < 20; round += 1) {
      await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'Kustomization', data: job })));
      await sleep(20);
    }
    await queue.close();
    await history.converged(15_000);
    await drained();
    expect((await writesOf(stage.cluster)).length - before).toBe(1);
  });
});

it('a dump of Redis under work holds ids and no canary', async () => {
  const dumps: string[] = [];
  for (let round = 1; round <= 3; round += 1) {
    await at.history.commit({ b: `${CANARY}-${round}` });
    await at.history.trigger();
    for (let look = 0; look < 20; look += 1) dumps.push(await dump(at.redis));
  }
  await at.history.converged(20_000);
  const text = dumps.join('\n');
  const { tenant } = at.stage;
  for (const secret of [
    CANARY,
    tenant.login.password,
    tenant.webhookToken,
    tenant.clusterNamespace,
    at.stage.git.url,
    'team-a',
    'BEGIN CERTIFICATE',
  ])
    expect(text.includes(secret), secret).toBe(false);
  const payloads = [...text.matchAll(/"data":(\{[^}]*\})/g)].map((match) => JSON.parse(match[1] ?? ''));
  expect(payloads.length, 'jobs seen in the dumps').toBeGreaterThan(0);
  expect(payloads.filter((one) => parseJob(one) === null)).toEqual([]);
});

type Forged = Readonly<{ name: string; data: unknown; opts?: Readonly<Record<string, unknown>> }>;

/** Other tenants' ids, wrong kinds, specs in the payload, prototypes, huge strings, bad deduplication ids, foreign names. */
function forgeries({ tenant, definition, cluster }: Unit): readonly Forged[] {
  const good = { tenantId: tenant, kind: 'Kustomization', id: definition, clusterId: cluster };
  const evil = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'evil', namespace: 'kube-system' } };
  const shapes: readonly (() => unknown)[] = [
    () => ({ ...good, tenantId: randomUUID() }),
    () => ({ ...good, id: randomUUID() }),
    () => ({ ...good, clusterId: randomUUID() }),
    () => ({ ...good, kind: 'GitRepository' }),
    () => ({ ...good, kind: '../../etc/passwd' }),
    () => ({ ...good, kind: 'Secret' }),
    () => ({ ...good, spec: { path: './evil', prune: true }, manifests: [evil] }),
    () => ({ ...good, namespace: 'kube-system', serviceAccountName: 'admin' }),
    () => JSON.parse(`{"__proto__":{"tenantId":"${tenant}","admin":true},"kind":"Kustomization","id":"${definition}"}`),
    () => JSON.parse(`{"constructor":{"prototype":{"x":1}},"tenantId":"${tenant}","kind":"Kustomization","id":"${definition}"}`),
    () => ({ ...good, tenantId: { $ne: null } }),
    () => ({ ...good, id: [definition] }),
    () => ({ ...good, id: `${definition}' or '1'='1` }),
    () => ({ ...good, kind: 'K'.repeat(20_000) }),
    () => ({ ...good, tenantId: 'x'.repeat(100_000) }),
    () => null,
    () => 'x',
    () => 42,
    () => [good],
    () => ({}),
    () => ({ ...good, kind: 'toString' }),
    () => ({ ...good, id: good.tenantId, tenantId: good.id }),
    () => ({ ...good, clusterId: null }),
    () => ({ ...good, fence: 999_999, uid: '0', force: true }),
  ];
  const options: readonly Readonly<Record<string, unknown>>[] = [
    {},
    { attempts: 1_000, backoff: 1 },
    { deduplication: { id: '../'.repeat(50) } },
    { priority: 1 },
    { lifo: true },
  ];
  const names = ['Kustomization', '__proto__', 'constructor', 'eval', 'x'.repeat(1_000)];
  return Array.from({ length: 1_200 }, (_, index) => ({
    name: names[index % names.length] ?? '',
    data: shapes[index % shapes.length]?.(),
    opts: options[index % options.length] ?? {},
  }));
}

/** What no BullMQ client would write: ids in the waiting list without a job, jobs whose fields are no JSON. */
async function rawGarbage(redis: Redis): Promise<void> {
  for (const name of QUEUES) {
    await redis.lpush(`weir:${name}:wait`, 'no-such-job');
    await redis.hset(`weir:${name}:${UNREADABLE}`, { name: 'x', data: '"', opts: '{}', timestamp: 'now', attemptsMade: 'many' });
    await redis.lpush(`weir:${name}:wait`, UNREADABLE);
  }
}

/** A job that BullMQ itself cannot read stays `active` until it was found stalled five times; all others are gone. */
async function drained(): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await inLine()).length === 0) return;
    await sleep(100);
  }
  throw new Error(`the queues are not drained: ${(await inLine()).slice(0, 5).join(', ')}`);
}

async function inLine(): Promise<readonly string[]> {
  const lists = await Promise.all(
    QUEUES.flatMap((name) => [
      at.redis.lrange(`weir:${name}:wait`, 0, -1),
      at.redis.lrange(`weir:${name}:active`, 0, -1),
      at.redis.zrange(`weir:${name}:prioritized`, '0', '-1'),
    ]),
  );
  return lists.flat().filter((id) => id !== UNREADABLE);
}

/** What an attack must not change: objects on the cluster, writes of the plane, and definitions. */
async function state() {
  const rows = await readRows<{ kind: string; name: string; generation: string }>(
    await at.stage.databaseUrl(),
    "select kind, name, generation from weir.objects where kind not in ('Event') order by kind, name",
  );
  return { live: await liveObjects(at.stage.cluster.admin), writes: await writesOf(at.stage.cluster), rows };
}

/** Every key and value as text. */
async function dump(redis: Redis): Promise<string> {
  const keys = await redis.keys('*');
  const values = await Promise.all(
    keys.map(async (key) => {
      const type = await redis.type(key);
      if (type === 'hash') return (await redis.hgetall(key)) as unknown;
      if (type === 'list') return redis.lrange(key, 0, -1);
      if (type === 'zset') return redis.zrange(key, '0', '-1');
      if (type === 'set') return redis.smembers(key);
      if (type === 'stream') return redis.xrange(key, '-', '+');
      return type === 'string' ? redis.get(key) : null;
    }),
  );
  return JSON.stringify(keys.map((key, index) => [key, values[index]]))
    .replaceAll('\\"', '"')
    .replaceAll('"{', '{')
    .replaceAll('}"', '}');
}

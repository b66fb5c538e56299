import {
  Worker as BullWorker,
  type ConnectionOptions,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  Queue,
  runMigrations,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import { type Job, jobKey, parseJob } from '#core/job.ts';
import type { Worker as WorkerName } from '#core/kind.ts';
import type { Log } from '#core/log.ts';
import type { Queues, QueueWorker } from '#core/queue.ts';

/** What BullMQ takes as a connection to PostgreSQL. */
type PoolOption = NonNullable<ConstructorParameters<ReturnType<typeof postgresClasses>['Queue']>[1]['connection']>;

/** The database pool for the stand-in, made by the composition root with its own role and schema (adapters do not know each other). A `pg.Pool`. */
export type DatabasePool = Readonly<{ connect(): Promise<unknown>; end(): Promise<void> }>;

export type QueueOptions =
  | Readonly<{
      on: 'redis';
      url: string;
      log: Log /** Lock of a running job; only an optimisation, truth is the lease in PostgreSQL. */;
      lockMs?: number;
    }>
  | Readonly<{ on: 'postgres'; pool: DatabasePool; log: Log; lockMs?: number /** Ends the pool. */; end(): Promise<void> }>;

const NAMES: readonly WorkerName[] = Object.freeze(['source', 'kustomize', 'helm', 'image', 'notification', 'fleet']);
const PREFIX = 'weir';
const LOCK_MS = 10_000;
/** Looks for jobs of dead workers in a quarter of the lock's time: such a job is back at most 12.5 s after its worker died, within the 15 s of reliability.md 5.3. */
const LOOKS_PER_LOCK = 4;
/** A call that takes longer counts as "does not answer": the row stays due and is offered again (reliability.md fault 5). */
const CALL_MS = 2_000;

/**
 * BullMQ on Redis or Valkey, or on PostgreSQL where no Redis can be had. A Redis with an eviction policy that could drop jobs is refused. Holds connections until `close`.
 */
export async function openQueues(options: QueueOptions): Promise<Queues> {
  return options.on === 'redis' ? openOnRedis(options) : openOnPostgres(options);
}

async function openOnRedis({ url, log, lockMs }: Extract<QueueOptions, { on: 'redis' }>): Promise<Queues> {
  const adding = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: true, commandTimeout: CALL_MS, connectTimeout: CALL_MS });
  const serving = new Redis(url, { maxRetriesPerRequest: null });
  for (const client of [adding, serving]) client.on('error', (error) => log.warn({ error: error.message }, 'redis connection failed'));
  try {
    await refuseEviction(adding);
  } catch (error) {
    adding.disconnect();
    serving.disconnect();
    throw error;
  }
  const queues = new Map(NAMES.map((name) => [name, new Queue(name, { connection: adding as ConnectionOptions, prefix: PREFIX })]));
  for (const queue of queues.values()) queue.on('error', (error) => log.warn({ error: error.message }, 'queue failed'));
  return assemble({
    describe: 'redis',
    queues,
    log,
    ping: async () => void (await adding.ping()),
    serve: (name, concurrency, run) =>
      new BullWorker(name, run, {
        connection: serving as ConnectionOptions,
        prefix: PREFIX,
        concurrency,
        ...locking(lockMs ?? LOCK_MS),
        maxStalledCount: 5,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      }),
    end: async () => {
      adding.disconnect();
      serving.disconnect();
    },
  });
}

async function refuseEviction(client: Redis): Promise<void> {
  const answer = await client.config('GET', 'maxmemory-policy').catch(() => null);
  const policy = Array.isArray(answer) ? answer[1] : (Object.values((answer ?? {}) as Record<string, string>)[0] ?? null);
  if (policy === null) {
    await client.ping();
    return;
  }
  if (policy !== 'noeviction') throw new Error(`Redis has maxmemory-policy ${String(policy)}: set it to noeviction, or jobs could vanish`);
}

function postgresClasses() {
  return withBackend(createPostgresBackend);
}

async function openOnPostgres({ pool: given, log, lockMs, end }: Extract<QueueOptions, { on: 'postgres' }>): Promise<Queues> {
  const classes = postgresClasses();
  // BullMQ's type of a pool and the driver's differ in overloads only; BullMQ documents that it takes a pg.Pool as it is.
  const pool = given as unknown as PoolOption;
  await migrateQueues(given).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  const queues = new Map(NAMES.map((name) => [name, new classes.Queue(name, { connection: pool })]));
  for (const queue of queues.values()) queue.on('error', (error) => log.warn({ error: error.message }, 'queue failed'));
  await Promise.all([...queues.values()].map((queue) => queue.waitUntilReady()));
  const first = queues.get('source');
  return assemble({
    describe: 'PostgreSQL (no Redis: install redis-server and restart to use it)',
    queues: queues as unknown as Map<WorkerName, Queue>,
    log,
    ping: async () => void (await first?.getJobCounts('active')),
    serve: (name, concurrency, run) =>
      new classes.Worker(name, run, {
        connection: pool,
        concurrency,
        ...locking(lockMs ?? LOCK_MS),
        maxStalledCount: 5,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      }) as unknown as BullWorker,
    end,
  });
}

type MigrationClient = Parameters<typeof runMigrations>[0] & Readonly<{ release(): void }>;

/** BullMQ's own tables, in its own schema; without them every queue answers with a storm of errors. Idempotent. */
async function migrateQueues(pool: DatabasePool): Promise<void> {
  const client = (await pool.connect()) as MigrationClient;
  try {
    await runMigrations(client, DEFAULT_SCHEMA);
  } finally {
    client.release();
  }
}

function locking(lockMs: number): Readonly<{ lockDuration: number; stalledInterval: number }> {
  return { lockDuration: lockMs, stalledInterval: Math.ceil(lockMs / LOOKS_PER_LOCK) };
}

/** A job's lock for runs with such a lease: never longer than it, so that a dead worker's job does not outlast its lease in the queue. Pure. */
export function lockFor(leaseMs: number): number {
  return Math.min(LOCK_MS, leaseMs);
}

type Run = (job: Readonly<{ data: unknown }>, token?: string, signal?: AbortSignal) => Promise<void>;
type Parts = Readonly<{
  describe: string;
  queues: ReadonlyMap<WorkerName, Queue>;
  log: Log;
  ping(): Promise<void>;
  serve(name: WorkerName, concurrency: number, run: Run): BullWorker;
  end(): Promise<void>;
}>;

function assemble({ describe, queues, log, ping, serve, end }: Parts): Queues {
  const workers = new Set<QueueWorker>();
  const queueOf = (name: WorkerName): Queue => {
    const queue = queues.get(name);
    if (queue === undefined) throw new Error(`no queue ${name}`);
    return queue;
  };
  return Object.freeze({
    describe,
    add: async (name: WorkerName, jobs: readonly Job[]) => {
      if (jobs.length === 0) return;
      const queue = queueOf(name);
      await within(
        queue.addBulk(
          jobs.map((job) => ({
            name: job.kind,
            data: job,
            opts: { deduplication: { id: jobKey(job), keepLastIfActive: true }, removeOnComplete: true, removeOnFail: true },
          })),
        ),
      );
    },
    counts: async (name: WorkerName) => {
      const counts = await within(queueOf(name).getJobCounts('waiting', 'active'));
      return { waiting: counts['waiting'] ?? 0, active: counts['active'] ?? 0 };
    },
    work: (
      name: WorkerName,
      { concurrency, handle }: Readonly<{ concurrency: number; handle(job: Job, signal: AbortSignal): Promise<void> }>,
    ) => {
      const worker = startWorker({ name, log, serve: (run) => serve(name, concurrency, run), handle });
      workers.add(worker);
      return worker;
    },
    trouble: async () =>
      within(ping()).then(
        () => null,
        (error: unknown) => `the queue does not answer: ${error instanceof Error ? error.message : 'unknown'}`,
      ),
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.close(0)));
      await Promise.allSettled([...queues.values()].map((queue) => within(queue.close())));
      await end();
    },
  });
}

type Start = Readonly<{ name: string; log: Log; serve(run: Run): BullWorker; handle(job: Job, signal: AbortSignal): Promise<void> }>;

function startWorker({ name, log, serve, handle }: Start): QueueWorker {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const worker = serve(async (raw, _token, signal) => {
    const job = parseJob(raw.data);
    if (job === null) {
      log.warn({ queue: name }, 'dropped what is no job');
      return;
    }
    const done = handle(job, signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]));
    running.add(done);
    try {
      await done;
    } finally {
      running.delete(done);
    }
  });
  worker.on('error', (error) => log.warn({ queue: name, error: error.message }, 'queue worker failed'));
  worker.on('failed', (_job, error) => log.error({ queue: name, error: error.message }, 'job failed'));
  const ended: { promise: Promise<void> | null } = { promise: null };
  const end = async (graceMs: number): Promise<void> => {
    const closing = worker.close(graceMs === 0);
    const timer = setTimeout(() => stop.abort(), graceMs);
    await Promise.allSettled([...running]);
    clearTimeout(timer);
    stop.abort();
    await within(closing).catch((error: unknown) => log.warn({ queue: name, error: String(error) }, 'queue worker closed late'));
  };
  return {
    close: (graceMs) => {
      ended.promise ??= end(graceMs);
      return ended.promise;
    },
  };
}

async function within<T>(promise: Promise<T>): Promise<T> {
  const timer: { handle?: ReturnType<typeof setTimeout> } = {};
  const late = new Promise<never>((_, reject) => {
    timer.handle = setTimeout(() => reject(new Error(`no answer within ${CALL_MS} ms`)), CALL_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer.handle);
  }
}

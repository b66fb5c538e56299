import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { appUrl, migrate } from '#adapters/postgres/migrate.ts';
import type { QueueOptions } from '#adapters/redis/queue.ts';
import type { Config } from '#core/config.ts';
import type { Log } from '#core/log.ts';
import type { Children } from '#deploy/local/children.ts';
import { isErrno } from '#deploy/local/children.ts';
import { startPostgres } from '#deploy/local/postgres.ts';
import { startRedis } from '#deploy/local/redis.ts';
import type { PreparedCommand } from '#deploy/local/tool-paths.ts';

/** Where truth and transport are, and one sentence each for the person who started us. */
export type Stores = Readonly<{
  appDatabaseUrl: string;
  schedulerDatabaseUrl: string;
  queue: QueueOptions;
  notes: readonly string[];
  stop(): Promise<void>;
}>;

type Options = Readonly<{ config: Config; children: Children; log: Log; redis: PreparedCommand | null }>;

const DATABASE = 'weir';
const QUEUE_ROLE = 'weir_queue';

/**
 * Opens the given stores, or starts the embedded ones below the state folder, and brings the schema up to date. A store that is given and does not answer is an error, never
 * a reason to start another.
 */
export async function openStores(options: Options): Promise<Stores> {
  const { config } = options;
  const passwords = await keptPasswords(config);
  const database =
    config.databaseUrl === null
      ? await embeddedDatabase(options)
      : { url: config.databaseUrl, note: 'PostgreSQL: as WEIR_DATABASE_URL says', stop: async () => undefined };
  await migrate({ ownerUrl: database.url, appPassword: passwords.app, schedulerPassword: passwords.scheduler });
  const queue = await queueOptions(options, database.url, passwords.queue);
  return Object.freeze({
    appDatabaseUrl: appUrl(database.url, 'weir_app', passwords.app),
    schedulerDatabaseUrl: appUrl(database.url, 'weir_scheduler', passwords.scheduler),
    queue: queue.options,
    notes: [database.note, queue.note],
    stop: async () => {
      await queue.stop();
      await database.stop();
    },
  });
}

type Passwords = Readonly<{ app: string; scheduler: string; queue: string }>;

/** Role passwords are made once and kept, so that other processes of this plane can use them. */
async function keptPasswords(config: Config): Promise<Passwords> {
  const dir = join(config.stateDir, 'keys');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return {
    app: config.databaseAppPassword ?? (await keptSecret(join(dir, 'database-app'))),
    scheduler: config.databaseSchedulerPassword ?? (await keptSecret(join(dir, 'database-scheduler'))),
    queue: await keptSecret(join(dir, 'database-queue')),
  };
}

/** A random secret in a file of mode 0600, made when absent. */
export async function keptSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    const made = randomBytes(32).toString('hex');
    await writeFile(file, `${made}\n`, { mode: 0o600, flag: 'wx' });
    return made;
  }
}

async function embeddedDatabase({ config, children }: Options): Promise<Readonly<{ url: string; note: string; stop(): Promise<void> }>> {
  const server = await startPostgres(children, { dir: join(config.stateDir, 'postgres'), settings: { max_connections: '120' } });
  const url = new URL(server.superuserUrl);
  await makeDatabase(server.superuserUrl);
  url.pathname = `/${DATABASE}`;
  return {
    url: url.toString(),
    note: 'PostgreSQL: embedded, for development and tests (data below the state folder)',
    stop: () => server.stop('fast'),
  };
}

async function makeDatabase(superuserUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

type Queue = Readonly<{ options: QueueOptions; note: string; stop(): Promise<void> }>;

async function queueOptions({ config, children, log, redis }: Options, databaseUrl: string, password: string): Promise<Queue> {
  if (config.redisUrl !== null)
    return {
      options: { on: 'redis', url: config.redisUrl, log },
      note: 'Queue: Redis as WEIR_REDIS_URL says',
      stop: async () => undefined,
    };
  if (redis !== null) {
    const server = await startRedis(children, { dir: join(config.stateDir, 'redis'), program: redis });
    return {
      options: { on: 'redis', url: server.url, log },
      note: 'Queue: Redis, started here without persistence (it may be lost at any time)',
      stop: () => server.stop(),
    };
  }
  const pool = await queuePool(databaseUrl, password, log);
  return {
    options: { on: 'postgres', pool, log, end: () => pool.end() },
    note: 'Queue: PostgreSQL stands in, because no redis-server is at hand; install it (Debian: apt-get install redis-server) and start again to use Redis',
    stop: async () => undefined,
  };
}

/** One pool for all queues and workers, under a role that has a schema of its own and no right on tenant tables (libraries.md section 5). */
async function queuePool(databaseUrl: string, password: string, log: Log): Promise<pg.Pool> {
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  try {
    const found = await admin.query('select 1 from pg_roles where rolname = $1', [QUEUE_ROLE]);
    const { rows } = await admin.query<{ quoted: string }>('select quote_literal($1) as quoted', [password]);
    await admin.query(
      `${found.rowCount === 0 ? 'create' : 'alter'} role ${QUEUE_ROLE} login nosuperuser nobypassrls password ${rows[0]?.quoted ?? ''}`,
    );
    await admin.query(`create schema if not exists bullmq authorization ${QUEUE_ROLE}`);
    // BullMQ's migration asks for its schema again, and PostgreSQL looks at the right before it sees that it is there.
    const { rows: names } = await admin.query<{ quoted: string }>('select quote_ident(current_database()) as quoted');
    await admin.query(`grant create on database ${names[0]?.quoted ?? ''} to ${QUEUE_ROLE}`);
  } finally {
    await admin.end();
  }
  const url = new URL(databaseUrl);
  url.username = QUEUE_ROLE;
  url.password = encodeURIComponent(password);
  const pool = new pg.Pool({
    connectionString: url.toString(),
    max: 40,
    options: '-c search_path=bullmq -c synchronous_commit=off',
    application_name: 'weir-queue',
  });
  // Without listeners a lost connection, idle or in use, would end the process; each query reports it by itself.
  const lost = (error: Error): void => log.warn({ error: error.message }, 'a connection of the queue was lost');
  pool.on('error', lost);
  pool.on('connect', (client) => void client.on('error', lost));
  return pool;
}

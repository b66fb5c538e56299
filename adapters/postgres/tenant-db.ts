import type pg from 'pg';
import type { Log } from '#core/log.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { Directory } from './directory.ts';
import { openDirectory } from './directory-reads.ts';
import { type Channel, openListener } from './listener.ts';
import { openPool } from './pool.ts';
import { assertRole } from './roles.ts';
import { cleanError } from './sql-error.ts';
import type { Rollback, TenantTx } from './tenant-tx.ts';
import { type Ended, type Limits, runTransaction, type Session } from './transaction.ts';

export type TxOptions = Readonly<{
  readOnly?: boolean /** Repeatable read: all statements see one snapshot. */;
  snapshot?: boolean /** Default 15,000. */;
  statementTimeoutMs?: number;
}>;

/** The application's way to PostgreSQL. Throws AppError unavailable when the server cannot be reached. */
export type TenantDb = Readonly<{
  /** Runs `fn` in one transaction of the scope's tenant. Commits unless `fn` throws or returns `rollbackWith(value)`. */
  inTenant<T>(scope: TenantScope, fn: (tx: TenantTx) => Promise<T | Rollback<T>>, options?: TxOptions): Promise<T>;
  /** One read-only snapshot over several tenants: the scope is set anew for each, in order. */
  inTenants<T>(scopes: readonly TenantScope[], fn: (scope: TenantScope, tx: TenantTx) => Promise<T>): Promise<readonly T[]>;
  directory: Directory;
  /** Wakes on a notification of the channel, and once after every lost and restored connection. Returns the stop function. Wakes carry no data and may be lost. */
  listen(channel: Channel, onWake: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}>;

export type TenantDbOptions = Readonly<{ url: string; maxConnections: number; log: Log }>;

const statementTimeoutMs = 15_000;
const idleTimeoutMs = 15_000;
const lockTimeoutMs = 10_000;

/** Connects, and refuses a role that row-level security does not bind, or a server below PostgreSQL 16. */
export async function openTenantDb(options: TenantDbOptions): Promise<TenantDb> {
  const pool = openPool({ ...options, name: 'weir' });
  try {
    await assertRole(pool, 'weir_app');
  } catch (error) {
    await pool.end();
    throw error;
  }
  const listener = openListener(options);
  const base = {
    inTenant: <T>(scope: TenantScope, fn: (tx: TenantTx) => Promise<T | Rollback<T>>, tx: TxOptions = {}) => inTenant(pool, scope, fn, tx),
    inTenants: <T>(scopes: readonly TenantScope[], fn: (scope: TenantScope, tx: TenantTx) => Promise<T>) => inTenants(pool, scopes, fn),
  };
  return Object.freeze({
    ...base,
    directory: openDirectory(pool, base.inTenants),
    listen: listener.listen,
    close: async () => {
      await listener.close();
      await pool.end();
    },
  });
}

async function inTenant<T>(
  pool: pg.Pool,
  scope: TenantScope,
  fn: (tx: TenantTx) => Promise<T | Rollback<T>>,
  options: TxOptions,
): Promise<T> {
  const limits: Limits = { statementTimeoutMs: options.statementTimeoutMs ?? statementTimeoutMs, idleTimeoutMs, lockTimeoutMs };
  return withConnection(pool, (connection) =>
    runTransaction<T>(connection, beginText(options), limits, async (open) => {
      const session = await open(scope);
      return within(session, fn(session.tx));
    }),
  );
}

async function inTenants<T>(
  pool: pg.Pool,
  scopes: readonly TenantScope[],
  fn: (scope: TenantScope, tx: TenantTx) => Promise<T>,
): Promise<readonly T[]> {
  if (scopes.length === 0) return [];
  const limits: Limits = { statementTimeoutMs, idleTimeoutMs, lockTimeoutMs };
  return withConnection(pool, (connection) =>
    runTransaction<readonly T[]>(connection, beginText({ readOnly: true, snapshot: true }), limits, async (open) => {
      const results: T[] = [];
      for (const scope of scopes) {
        const session = await open(scope);
        results.push(await within(session, fn(scope, session.tx)));
      }
      return results;
    }),
  );
}

async function within<T>(session: Session, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    session.end();
  }
}

function beginText(options: TxOptions): string {
  const isolation = options.snapshot === true ? 'repeatable read' : 'read committed';
  return `begin isolation level ${isolation} ${options.readOnly === true ? 'read only' : 'read write'}`;
}

/** A connection comes back to the pool only after a transaction that ended beyond doubt. */
async function withConnection<T>(pool: pg.Pool, work: (connection: pg.PoolClient) => Promise<Ended<T>>): Promise<T> {
  let connection: pg.PoolClient;
  try {
    connection = await pool.connect();
  } catch (error) {
    throw cleanError(error);
  }
  let reusable = false;
  try {
    const ended = await work(connection);
    reusable = ended.reusable;
    if (ended.is === 'error') throw ended.error;
    return ended.value;
  } finally {
    connection.release(!reusable);
  }
}

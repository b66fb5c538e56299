import { Kysely, PostgresDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { bootstrapPlatform } from './bootstrap.ts';
import { ensureRoles, ownerRole } from './make-roles.ts';
import { migrations } from './migrations/all.ts';

export type MigrateOptions = Readonly<{
  /** A role that may make roles and schemas (or, where the roles exist already, one that may become weir_owner). */
  ownerUrl: string;
  appPassword: string;
  schedulerPassword: string;
  /** How long to wait for another migrator or for locks. Default 60,000. */
  lockTimeoutMs?: number;
}>;

const defaultLockTimeoutMs = 60_000;

/**
 * Makes roles, schema and the platform tenant. Idempotent; of several at once one works and the others wait for it, up to the time limit.
 * Throws when the server is below PostgreSQL 16, or was migrated by a newer release.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const lockTimeoutMs = options.lockTimeoutMs ?? defaultLockTimeoutMs;
  await ensureRoles(options);
  await migrateSchema(options.ownerUrl, lockTimeoutMs);
  await bootstrapPlatform(appUrl(options.ownerUrl, 'weir_app', options.appPassword));
}

/** The same server and database as another role. */
export function appUrl(url: string, role: 'weir_app' | 'weir_scheduler', password: string): string {
  const parsed = new URL(url);
  parsed.username = role;
  parsed.password = encodeURIComponent(password);
  return parsed.toString();
}

async function migrateSchema(ownerUrl: string, lockTimeoutMs: number): Promise<void> {
  const pool = new pg.Pool({
    connectionString: ownerUrl,
    max: 2,
    application_name: 'weir-migrate',
    options: `-c role=${ownerRole} -c lock_timeout=${lockTimeoutMs}`,
  });
  // Without a listener a connection that is lost, even while it closes, would end the process; a query on it reports that by itself.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => ({ ...migrations }) },
      migrationTableSchema: 'weir',
      migrationTableName: 'migrations',
      migrationLockTableName: 'migrations_lock',
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
  } finally {
    await db.destroy();
  }
}

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { putNamespace, putTenantDirectory } from '#adapters/postgres/directory.ts';
import { appUrl, migrate } from '#adapters/postgres/migrate.ts';
import type { NewObject } from '#adapters/postgres/objects.ts';
import type { Row } from '#adapters/postgres/rows.ts';
import { openTenantDb, type TenantDb } from '#adapters/postgres/tenant-db.ts';
import { silentLog } from '#core/log.ts';
import { scopeOfOwner, type TenantScope } from '#core/tenant.ts';
import { type DatabaseTemplate, type TestDatabase, testDatabase } from '#tests/harness/database.ts';

/** Passwords of the roles on the run's throw-away server. */
export const testPasswords = Object.freeze({ appPassword: 'app-of-a-test', schedulerPassword: 'scheduler-of-a-test' });

/** A migrated database, made once per run. */
export const planeTemplate: DatabaseTemplate = Object.freeze({
  name: 'weir_plane',
  prepare: (superuserUrl: string) => migrate({ ownerUrl: superuserUrl, ...testPasswords }),
});

export type Plane = Readonly<{
  /** The application's database, as weir_app. */
  db: TenantDb;
  appUrl: string;
  schedulerUrl: string;
  superuserUrl: string;
  /** As superuser, past all policies: for looking and for forging. */
  ask(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  newTenant(name?: string): Promise<TestTenant>;
}>;
export type TestTenant = Readonly<{ scope: TenantScope; tenantId: string; name: string; namespace: string }>;

/** A migrated database of the file's own with an open application connection. Call at the top of a file. */
export function usePlane(options: Readonly<{ maxConnections?: number }> = {}): Plane {
  const holder: { database?: TestDatabase; admin?: pg.Pool; db?: TenantDb } = {};
  const database = (): TestDatabase => holder.database ?? early();
  const db = (): TenantDb => holder.db ?? early();
  beforeAll(async () => {
    holder.database = await testDatabase(planeTemplate);
    holder.admin = new pg.Pool({ connectionString: holder.database.superuserUrl, max: 2 });
    holder.admin.on('error', () => undefined);
    const url = appUrl(holder.database.superuserUrl, 'weir_app', testPasswords.appPassword);
    holder.db = await openTenantDb({ url, maxConnections: options.maxConnections ?? 4, log: silentLog });
  });
  afterAll(async () => {
    await holder.db?.close();
    await holder.admin?.end();
    await holder.database?.drop();
  });
  return {
    get db() {
      return db();
    },
    get appUrl() {
      return appUrl(database().superuserUrl, 'weir_app', testPasswords.appPassword);
    },
    get schedulerUrl() {
      return appUrl(database().superuserUrl, 'weir_scheduler', testPasswords.schedulerPassword);
    },
    get superuserUrl() {
      return database().superuserUrl;
    },
    ask: async (sql, values = []) => (await (holder.admin ?? early()).query<Row>(sql, [...values])).rows,
    newTenant: (name) => newTenant(db(), name ?? `team-${randomUUID().slice(0, 8)}`),
  };
}

function early(): never {
  throw new Error('the plane is used before the hooks of the file have run');
}

/** A tenant with its directory rows and one namespace of its own name. */
export async function newTenant(db: TenantDb, name: string): Promise<TestTenant> {
  const tenantId = randomUUID();
  const scope = scopeOfOwner({ ownerTenantId: tenantId }, { name: 'tester', via: 'oidc' });
  await db.inTenant(scope, async (tx) => {
    await putTenantDirectory(tx, {
      name,
      suspended: false,
      namespaces: { names: [name], prefixes: [`${name}--`] },
      members: [],
      groups: [],
    });
    await putNamespace(tx, name);
  });
  return { scope, tenantId, name, namespace: name };
}

/** A new object with sensible parts. */
export function newObject(part: Partial<NewObject> & Pick<NewObject, 'kind' | 'namespace' | 'name'>): NewObject {
  return {
    uid: randomUUID(),
    generation: 1,
    createdAtMs: 1_790_000_000_000,
    labels: {},
    annotations: {},
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: { spec: {} },
    status: null,
    createdBy: 'issuer|tester',
    refs: [],
    unit: null,
    ...part,
  };
}

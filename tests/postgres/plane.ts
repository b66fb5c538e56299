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

export type Plane = {
  /** The application's database, as weir_app. */
  db: TenantDb;
  appUrl: string;
  schedulerUrl: string;
  superuserUrl: string;
  /** As superuser, past all policies: for looking and for forging. */
  ask(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  newTenant(name?: string): Promise<TestTenant>;
};
export type TestTenant = Readonly<{ scope: TenantScope; tenantId: string; name: string; namespace: string }>;

/** A migrated database of the file's own with an open application connection. Call at the top of a file. */
export function usePlane(options: Readonly<{ maxConnections?: number }> = {}): Plane {
  const holder: { database?: TestDatabase; admin?: pg.Pool } = {};
  const plane: Plane = Object.assign(Object.create(null), {});
  beforeAll(async () => {
    const database = await testDatabase(planeTemplate);
    const admin = new pg.Pool({ connectionString: database.superuserUrl, max: 2 });
    admin.on('error', () => undefined);
    Object.assign(holder, { database, admin });
    plane.superuserUrl = database.superuserUrl;
    plane.appUrl = appUrl(database.superuserUrl, 'weir_app', testPasswords.appPassword);
    plane.schedulerUrl = appUrl(database.superuserUrl, 'weir_scheduler', testPasswords.schedulerPassword);
    plane.db = await openTenantDb({ url: plane.appUrl, maxConnections: options.maxConnections ?? 4, log: silentLog });
    plane.ask = async (sql, values = []) => (await admin.query<Row>(sql, [...values])).rows;
    plane.newTenant = (name) => newTenant(plane.db, name ?? `team-${randomUUID().slice(0, 8)}`);
  });
  afterAll(async () => {
    await plane.db?.close();
    await holder.admin?.end();
    await holder.database?.drop();
  });
  return plane;
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

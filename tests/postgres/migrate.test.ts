import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { appendAudit, verifyAudit } from '#adapters/postgres/audit.ts';
import { openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { appUrl, migrate } from '#adapters/postgres/migrate.ts';
import { getObject, insertObject, listObjects, noConsequences, updateObject } from '#adapters/postgres/objects.ts';
import { openPlatformDb } from '#adapters/postgres/platform-db.ts';
import { openSecret, sealSecret } from '#adapters/postgres/secrets.ts';
import { openTenantDb, type TenantDb } from '#adapters/postgres/tenant-db.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import { silentLog } from '#core/log.ts';
import { PLATFORM_TENANT_ID, scopeOfOwner } from '#core/tenant.ts';
import { dumpSchema1 } from '#tests/fixtures/make-schema-1.ts';
import { type TestDatabase, testDatabase } from '#tests/harness/database.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { newObject, newTenant, testPasswords } from '#tests/postgres/plane.ts';

const fixtureFile = new URL('../fixtures/schema-1.sql', import.meta.url);
const dir = useTemporaryDir();
const databases: TestDatabase[] = [];
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await testDatabase();
  databases.push(database);
  return database;
}

async function asSuperuser<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function withApp<T>(superuserUrl: string, use: (db: TenantDb) => Promise<T>): Promise<T> {
  const db = await openTenantDb({ url: appUrl(superuserUrl, 'weir_app', testPasswords.appPassword), maxConnections: 2, log: silentLog });
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}

const fixtureTenant = scopeOfOwner({ ownerTenantId: '11111111-1111-4111-8111-111111111111' }, { name: 'fixture', via: 'oidc' });
const audit = {
  actor: 'ann',
  via: 'oidc',
  verb: 'create',
  kind: 'ConfigMap',
  namespace: 'team',
  name: 'cm',
  requestId: 'r',
  beforeDigest: null,
  afterDigest: null,
  detail: null,
};

/** What the fixture holds; kept here so that it can be made again. */
async function fill(db: TenantDb, keyPath: string): Promise<void> {
  const keys = openKeyRing(await openKeyFile(keyPath), () => 0);
  const tenant = await newTenant(db, 'fixture-team');
  const write = async (scope: typeof tenant.scope, namespace: string) => {
    await db.inTenant(scope, async (tx) => {
      await appendAudit(tx, audit);
      await insertObject(
        tx,
        newObject({ kind: 'ConfigMap', namespace, name: 'cm', body: { data: { big: 9_007_199_254_740_993n, quote: "it's \\ back" } } }),
        noConsequences,
      );
    });
    const secret = newObject({ kind: 'Secret', namespace, name: 'secret' });
    await db.inTenant(scope, async (tx) =>
      insertObject(
        tx,
        { ...secret, sealed: await sealSecret(tx, keys, { uid: secret.uid, version: 1 }, { token: Buffer.from('opened') }) },
        noConsequences,
      ),
    );
    const source = newObject({
      kind: 'GitRepository',
      namespace,
      name: 'src',
      unit: { unit: 'definition', host: 'git.example' },
      refs: [{ kind: 'Secret', namespace, name: 'secret', on: 'change' }],
    });
    await db.inTenant(scope, (tx) => insertObject(tx, source, { ...noConsequences, outbox: [{ what: 'places', namespace }] }));
  };
  await write(tenant.scope, tenant.namespace);
  await write(fixtureTenant, 'team');
}

describe('migrate', () => {
  test('makes an empty database usable, changes nothing when repeated, and several at once are fine', async () => {
    const { superuserUrl } = await emptyDatabase();
    const options = { ownerUrl: superuserUrl, ...testPasswords };
    await Promise.all([migrate(options), migrate(options), migrate(options)]);
    const state = () =>
      asSuperuser(superuserUrl, async (client) => [
        (await client.query('select * from weir.migrations')).rows,
        (await client.query('select * from weir.version_counter')).rows,
        (await client.query('select count(*) from weir.objects')).rows,
        (await client.query(`select rolname, rolpassword from pg_authid where rolname like 'weir%' order by 1`)).rows,
      ]);
    const before = await state();
    await migrate(options);
    expect(await state()).toEqual(before);
    await withApp(superuserUrl, async (db) => {
      expect(await db.directory.tenantByName('weir-system')).toMatchObject({ tenantId: PLATFORM_TENANT_ID });
      const platform = scopeOfOwner({ ownerTenantId: PLATFORM_TENANT_ID }, { name: 't', via: 'oidc' });
      const namespaces = await db.inTenant(platform, (tx) => listObjects(tx, { kind: 'Namespace', namespaces: null }));
      expect(namespaces.map((one) => one.name)).toEqual(['weir-system']);
    });
  });

  test('a database that a newer release migrated is refused', async () => {
    const { superuserUrl } = await emptyDatabase();
    await migrate({ ownerUrl: superuserUrl, ...testPasswords });
    await asSuperuser(superuserUrl, (client) =>
      client.query(`insert into weir.migrations values ('9999-newer', '2030-01-01T00:00:00.000Z')`),
    );
    await expect(migrate({ ownerUrl: superuserUrl, ...testPasswords })).rejects.toThrow('9999-newer');
  });

  test('a migrator that waits for another gives up at its time limit', async () => {
    const { superuserUrl } = await emptyDatabase();
    await migrate({ ownerUrl: superuserUrl, ...testPasswords });
    await asSuperuser(superuserUrl, async (client) => {
      await client.query('begin');
      await client.query('lock table weir.migrations in access exclusive mode');
      await expect(migrate({ ownerUrl: superuserUrl, ...testPasswords, lockTimeoutMs: 200 })).rejects.toThrow('lock timeout');
      await client.query('rollback');
    });
  });
});

describe('the first schema', () => {
  test.runIf(process.env['WEIR_MAKE_FIXTURE'] === '1')('is written as a fixture', async () => {
    const { superuserUrl } = await emptyDatabase();
    await migrate({ ownerUrl: superuserUrl, ...testPasswords });
    await withApp(superuserUrl, async (db) => fill(db, join(dir(), 'kek')));
    const kek = (await readFile(join(dir(), 'kek'), 'utf8')).trim();
    await writeFile(fixtureFile, `-- key file of the sealed rows: ${kek}\n${await dumpSchema1(superuserUrl)}`);
  });

  test('is taken over by migrate: its data are read, opened, verified, changed, and worked on', async () => {
    const fixture = await readFile(fixtureFile, 'utf8');
    const other = await emptyDatabase();
    await migrate({ ownerUrl: other.superuserUrl, ...testPasswords });
    const { superuserUrl } = await emptyDatabase();
    await asSuperuser(superuserUrl, async (client) => {
      await client.query('create schema weir authorization weir_owner');
      await client.query(fixture);
    });
    await migrate({ ownerUrl: superuserUrl, ...testPasswords });
    const keyPath = join(dir(), 'kek');
    await writeFile(keyPath, `${/key file of the sealed rows: (\S+)/.exec(fixture)?.[1]}\n`, { mode: 0o600 });
    const keys = openKeyRing(await openKeyFile(keyPath), () => 0);
    await withApp(superuserUrl, async (db) => {
      const found = await db.directory.tenantByName('fixture-team');
      if (found === null) throw new Error('the fixture holds its tenant');
      const scope = scopeOfOwner({ ownerTenantId: found.tenantId }, { name: 't', via: 'oidc' });
      const read = (kind: string, name: string) => db.inTenant(scope, (tx) => getObject(tx, { kind, namespace: 'fixture-team', name }));
      const [map, secret, source] = [await read('ConfigMap', 'cm'), await read('Secret', 'secret'), await read('GitRepository', 'src')];
      if (map === null || secret === null || source === null) throw new Error('the fixture holds its objects');
      expect(map.body).toEqual({ data: { big: 9_007_199_254_740_993n, quote: "it's \\ back" } });
      expect(await db.inTenant(scope, (tx) => openSecret(tx, keys, secret))).toEqual({ token: Buffer.from('opened') });
      expect(await db.inTenant(scope, verifyAudit)).toEqual({ ok: true, entries: 1 });
      const changed = await db.inTenant(scope, (tx) => updateObject(tx, map, { ...map, labels: { a: 'b' } }, noConsequences));
      expect(BigInt(changed.resourceVersion)).toBeGreaterThan(BigInt(source.resourceVersion));
      expect(
        await openUnitStore(db).claim(scope, { tenantId: scope.tenantId, kind: 'GitRepository', id: source.uid }, 1_000),
      ).not.toBeNull();
    });
    const platform = await openPlatformDb({
      url: appUrl(superuserUrl, 'weir_scheduler', testPasswords.schedulerPassword),
      maxConnections: 1,
      log: silentLog,
    });
    try {
      expect((await platform.drainOutbox(100)).taken).toBeGreaterThan(0);
    } finally {
      await platform.close();
    }
  });
});

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appUrl } from '#adapters/postgres/migrate.ts';
import { getObject, insertObject, noConsequences } from '#adapters/postgres/objects.ts';
import { openPlatformDb } from '#adapters/postgres/platform-db.ts';
import { clientConfig } from '#adapters/postgres/pool.ts';
import { openTenantDb, type TenantDb } from '#adapters/postgres/tenant-db.ts';
import { rollbackWith, type TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { runTransaction } from '#adapters/postgres/transaction.ts';
import { silentLog } from '#core/log.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane({ maxConnections: 1 });
const limits = { statementTimeoutMs: 2_000, idleTimeoutMs: 2_000, lockTimeoutMs: 2_000 };
let tenant: TestTenant;
beforeAll(async () => {
  tenant = await plane.newTenant();
  await plane.db.inTenant(tenant.scope, (tx) =>
    insertObject(tx, newObject({ kind: 'ConfigMap', namespace: tenant.namespace, name: 'mine' }), noConsequences),
  );
});

async function backend(db: TenantDb = plane.db): Promise<unknown> {
  return db.inTenant(tenant.scope, async (tx) => (await tx.query('select pg_backend_pid() as pid'))[0]?.['pid']);
}

const count = (tx: TenantTx) => tx.query('select count(*)::int as n from weir.objects');

describe('the tenant runner', () => {
  test('begin, the settings and the first statements are sent at once, without waiting for answers', async () => {
    const sent: string[] = [];
    const answers: (() => void)[] = [];
    const connection = {
      query: (text: string) => {
        sent.push(text);
        return new Promise<{ command: string; rowCount: number; rows: never[] }>((resolve) => {
          const command = text.split(' ')[0]?.toUpperCase() ?? '';
          answers.push(() => resolve({ command, rowCount: 0, rows: [] }));
        });
      },
    };
    // A recorder stands in for the driver's connection: what matters is what is sent before anything is answered.
    const ended = runTransaction(connection, 'begin', limits, async (open) => {
      const { tx } = await open(tenant.scope);
      await Promise.all([tx.query('select 1'), tx.query('select 2')]);
      return 'done';
    });
    await expect.poll(() => sent).toEqual(['begin', expect.stringContaining('set_config'), 'select 1', 'select 2']);
    for (const answer of answers) answer();
    await expect.poll(() => sent.at(-1)).toBe('commit');
    answers.at(-1)?.();
    expect(await ended).toEqual({ is: 'value', value: 'done', reusable: true });
  });

  test('a commit that is answered with ROLLBACK is an error, even when the function swallowed the failure', async () => {
    const swallowed = plane.db.inTenant(tenant.scope, async (tx) => {
      await insertObject(tx, newObject({ kind: 'ConfigMap', namespace: tenant.namespace, name: 'lost' }), noConsequences);
      await tx.query('select 1 / 0').catch(() => undefined);
      return 'fine';
    });
    await expect(swallowed).rejects.toMatchObject({ sqlState: '22012' });
    expect(
      await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, { kind: 'ConfigMap', namespace: tenant.namespace, name: 'lost' })),
    ).toBeNull();
  });

  test('a failed statement that nobody waited for is seen at the end', async () => {
    const unawaited = plane.db.inTenant(tenant.scope, async (tx) => {
      void tx.query('select 1 / 0').catch(() => undefined);
      return 'fine';
    });
    await expect(unawaited).rejects.toMatchObject({ sqlState: '22012' });
  });

  test('when begin fails, its error wins, what follows touches no tenant row, and the connection is not used again', async () => {
    const client = new pg.Client(clientConfig(plane.appUrl, 'test'));
    client.on('error', () => undefined);
    await client.connect();
    try {
      const ended = await runTransaction(client, 'begin isolation level nonsense', limits, async (open) => {
        const { tx } = await open(tenant.scope);
        const [rows] = await Promise.all([count(tx), tx.run(`update weir.objects set labels = '{"stolen": "yes"}'`)]);
        return rows;
      });
      expect(ended).toMatchObject({ is: 'error', reusable: false, error: { sqlState: '42601' } });
      // What the statements saw outside a transaction: no tenant.
      const after = await client.query(
        `select nullif(current_setting('app.tenant', true), '') as tenant, (select count(*)::int from weir.objects) as n`,
      );
      expect(after.rows).toEqual([{ tenant: null, n: 0 }]);
    } finally {
      await client.end();
    }
    expect(
      (await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, { kind: 'ConfigMap', namespace: tenant.namespace, name: 'mine' })))
        ?.labels,
    ).toEqual({});
    expect(await plane.ask('select n from weir.version_counter')).toEqual([
      { n: await plane.db.inTenant(tenant.scope, async (tx) => (await tx.query('select n from weir.version_counter'))[0]?.['n']) },
    ]);
  });

  test('a failed statement, an error of the server and a killed connection destroy the connection; a plain error of ours does not', async () => {
    const first = await backend();
    await expect(plane.db.inTenant(tenant.scope, async () => Promise.reject(new Error('ours')))).rejects.toThrow('ours');
    expect(await backend()).toBe(first);
    expect(await plane.db.inTenant(tenant.scope, async (tx) => rollbackWith((await count(tx)).length))).toBe(1);
    expect(await backend()).toBe(first);
    await expect(plane.db.inTenant(tenant.scope, (tx) => tx.query('select 1 / 0'))).rejects.toMatchObject({ sqlState: '22012' });
    const second = await backend();
    expect(second).not.toBe(first);
    const killed = plane.db.inTenant(tenant.scope, async (tx) => {
      const [rows] = await Promise.all([
        count(tx),
        tx.query('select pg_sleep(5)'),
        plane.ask('select pg_terminate_backend($1::int)', [second]),
      ]);
      return rows;
    });
    await expect(killed).rejects.toMatchObject({ code: 'unavailable' });
    expect(await backend()).not.toBe(second);
  });

  test('a statement and an idle transaction end at their time limits', async () => {
    const slow = plane.db.inTenant(tenant.scope, (tx) => tx.query('select pg_sleep(5)'), { statementTimeoutMs: 50 });
    await expect(slow).rejects.toMatchObject({ code: 'unavailable' });
    const limitsSeen = await plane.db.inTenant(tenant.scope, (tx) =>
      tx.query(`select current_setting('idle_in_transaction_session_timeout') as idle, current_setting('lock_timeout') as lock`),
    );
    expect(limitsSeen).toEqual([{ idle: '15s', lock: '10s' }]);
  });

  test('the handle of an ended transaction is refused', async () => {
    const kept: TenantTx[] = [];
    await plane.db.inTenant(tenant.scope, async (tx) => void kept.push(tx));
    await plane.db.inTenants([tenant.scope], async (_scope, tx) => void kept.push(tx));
    for (const tx of kept) await expect(tx.query('select 1')).rejects.toThrow('has ended');
    expect(kept).toHaveLength(2);
  });

  test('after a commit the setting is the empty text, which shows no row', async () => {
    const client = new pg.Client(clientConfig(plane.appUrl, 'test'));
    await client.connect();
    try {
      const ended = await runTransaction(client, 'begin', limits, async (open) => (await count((await open(tenant.scope)).tx))[0]?.['n']);
      expect(ended).toMatchObject({ is: 'value', value: expect.any(Number), reusable: true });
      expect((await client.query(`select current_setting('app.tenant', true) as tenant`)).rows).toEqual([{ tenant: '' }]);
      expect((await client.query('select count(*)::int as n from weir.objects')).rows).toEqual([{ n: 0 }]);
      await client.query(`select set_config('app.tenant', 'no uuid', false)`);
      await expect(client.query('select count(*) from weir.objects')).rejects.toMatchObject({ code: '22P02' });
    } finally {
      await client.end();
    }
  });

  test('a read-only transaction writes nothing; a snapshot over several tenants stands still', async () => {
    await expect(
      plane.db.inTenant(tenant.scope, (tx) => tx.run(`update weir.objects set labels = '{}'`), { readOnly: true }),
    ).rejects.toMatchObject({ sqlState: '25006' });
    const other = await plane.newTenant();
    const second = await openTenantDb({ url: plane.appUrl, maxConnections: 1, log: silentLog });
    try {
      const seen = await plane.db.inTenants([tenant.scope, other.scope], async (scope, tx) => {
        // The first answer shows that the snapshot is taken: statements are sent without waiting for one another.
        const seenHere = (await count(tx))[0]?.['n'];
        if (scope === tenant.scope)
          await second.inTenant(other.scope, (inner) =>
            insertObject(inner, newObject({ kind: 'ConfigMap', namespace: 'x', name: 'late' }), noConsequences),
          );
        return seenHere;
      });
      expect(seen).toEqual([1, 0]);
    } finally {
      await second.close();
    }
    expect(await plane.db.inTenants([], async () => 1)).toEqual([]);
  });
});

describe('the start', () => {
  const made: string[] = [];
  afterAll(async () => {
    for (const role of made) await plane.ask(`drop owned by ${role}; drop role ${role}`);
  });

  async function role(name: string, attributes: string): Promise<string> {
    await plane.ask(`create role ${name} login password 'x' ${attributes}`);
    made.push(name);
    const url = new URL(plane.superuserUrl);
    url.username = name;
    url.password = 'x';
    return url.href;
  }

  test('refuses a superuser, BYPASSRLS, a role that may become one, an owner, and a stranger', async () => {
    const open = (url: string) => openTenantDb({ url, maxConnections: 1, log: silentLog });
    await expect(open(plane.superuserUrl)).rejects.toThrow('superuser');
    const bypass = await role('test_bypass', 'bypassrls');
    await expect(open(bypass)).rejects.toThrow('may bypass row-level security');
    const climber = await role('test_climber', '');
    await plane.ask('grant test_bypass to test_climber');
    await expect(open(climber)).rejects.toThrow('may become a role that bypasses');
    const owner = await role('test_owner', '');
    await plane.ask('grant weir_owner to test_owner');
    await expect(open(owner)).rejects.toThrow('owns tables');
    await expect(open(await role('test_stranger', ''))).rejects.toThrow('is not weir_app');
    await expect(open(plane.schedulerUrl)).rejects.toThrow('is not weir_app');
    await expect(openPlatformDb({ url: plane.appUrl, maxConnections: 1, log: silentLog })).rejects.toThrow('is not weir_scheduler');
  });

  test('says that the database cannot be reached, without the password', async () => {
    const url = new URL(appUrl(plane.superuserUrl, 'weir_app', 'canary-password'));
    url.port = '1';
    const failed = await openTenantDb({ url: url.href, maxConnections: 1, log: silentLog }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'unavailable' });
    expect(JSON.stringify(failed, Object.getOwnPropertyNames(failed))).not.toContain('canary-password');
  });
});

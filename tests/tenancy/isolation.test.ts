import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { addLedger } from '#adapters/postgres/ledger.ts';
import { changesSince, insertObject, noConsequences } from '#adapters/postgres/objects.ts';
import { clientConfig } from '#adapters/postgres/pool.ts';
import { rollbackWith } from '#adapters/postgres/tenant-tx.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane({ maxConnections: 4 });
let tenants: readonly TestTenant[] = [];

beforeAll(async () => {
  const made: TestTenant[] = [];
  for (let index = 0; index < 8; index += 1) made.push(await plane.newTenant());
  for (const tenant of made) {
    for (const name of ['a', 'b', 'c']) {
      await plane.db.inTenant(tenant.scope, (tx) =>
        insertObject(
          tx,
          newObject({
            kind: 'ConfigMap',
            namespace: tenant.namespace,
            name,
            unit: { unit: 'definition' },
            refs: [{ kind: 'X', namespace: '', name: 'x', on: 'change' }],
          }),
          noConsequences,
        ),
      );
    }
  }
  tenants = made;
});

/** A small generator with a seed, so that a failing order can be had again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('10,000 interleaved transactions with random aborts and kills over 4 connections show no foreign row', async () => {
  const random = chance(20_261_124);
  const outcomes = { rows: 0, foreign: 0, aborted: 0, failed: 0 };
  const one = async (index: number): Promise<void> => {
    const tenant = tenants[index % tenants.length];
    if (tenant === undefined) return;
    const dice = random();
    try {
      const rows = await plane.db.inTenant(tenant.scope, async (tx) => {
        // The WHERE that every repository has is left out on purpose: the second wall must hold alone.
        const found = await tx.query('select tenant_id from weir.objects');
        if (dice < 0.1) throw new Error('aborted');
        if (dice < 0.15) await tx.query('select 1 / 0');
        if (dice < 0.155) await tx.query('select pg_terminate_backend(pg_backend_pid())');
        return dice < 0.25 ? rollbackWith(found) : found;
      });
      outcomes.rows += rows.length;
      outcomes.foreign += rows.filter((row) => row['tenant_id'] !== tenant.tenantId).length;
      if (rows.length !== 3) outcomes.failed += 1;
    } catch {
      outcomes.aborted += 1;
    }
  };
  const started = Array.from({ length: 40 }, async (_one, lane) => {
    for (let index = lane; index < 10_000; index += 40) await one(index);
  });
  await Promise.all(started);
  expect(outcomes.foreign).toBe(0);
  expect(outcomes.failed).toBe(0);
  expect(outcomes.aborted).toBeGreaterThan(1_000);
  expect(outcomes.rows).toBe((10_000 - outcomes.aborted) * 3);
}, 120_000);

describe('row-level security alone', () => {
  const tables = ['objects', 'change_log', 'refs', 'work'] as const;

  test.each(tables)('%s: reads, updates and deletes without a WHERE stay in the tenant', async (table) => {
    const [mine, other] = tenants;
    if (mine === undefined || other === undefined) throw new Error('tenants are made');
    const before = await plane.ask(`select tenant_id, count(*)::int as n from weir.${table} group by 1 order by 1`);
    await plane.db.inTenant(mine.scope, async (tx) => {
      const rows = await tx.query(`select distinct tenant_id from weir.${table}`);
      expect(rows).toEqual([{ tenant_id: mine.tenantId }]);
      if (table === 'change_log') return rollbackWith(null);
      if (table !== 'refs') await tx.run(`update weir.${table} set kind = 'Stolen'`);
      await tx.run(`delete from weir.${table}`);
      return null;
    });
    const after = await plane.ask(`select tenant_id, count(*)::int as n from weir.${table} where tenant_id <> $1 group by 1 order by 1`, [
      mine.tenantId,
    ]);
    expect(after).toEqual(before.filter((row) => row['tenant_id'] !== mine.tenantId));
    expect(
      (await plane.ask(`select count(*)::int as n from weir.${table} where kind = 'Stolen' and tenant_id <> $1`, [mine.tenantId]))[0],
    ).toEqual({ n: 0 });
  });

  test('insert for and update towards another tenant fail', async () => {
    const [, mine, other] = tenants;
    if (mine === undefined || other === undefined) throw new Error('tenants are made');
    const run = (sql: string, values: readonly string[]) => plane.db.inTenant(mine.scope, (tx) => tx.run(sql, values));
    await expect(
      run(`insert into weir.refs values ($1, $2, 'X', '', 'x', 'change')`, [other.tenantId, randomUUID()]),
    ).rejects.toMatchObject({ sqlState: '42501' });
    await expect(run('update weir.objects set tenant_id = $1', [other.tenantId])).rejects.toMatchObject({ sqlState: '42501' });
    await expect(
      run('insert into weir.dir_namespaces (name, tenant_id) values ($2, $1)', [other.tenantId, 'stolen']),
    ).rejects.toMatchObject({ sqlState: '42501' });
    await expect(
      run('update weir.dir_namespaces set tenant_id = $1 where name = $2', [other.tenantId, mine.namespace]),
    ).rejects.toMatchObject({ sqlState: '42501' });
    expect(await run('delete from weir.dir_namespaces where name = $1', [other.namespace])).toBe(0);
    const entry = {
      cause: '',
      actor: '',
      revision: null,
      originRevision: null,
      artifactDigest: null,
      renderDigest: null,
      outcome: '',
      reason: '',
      message: '',
      objects: [],
      durationMs: 0,
    };
    await plane.db.inTenant(mine.scope, (tx) =>
      addLedger(tx, { unitId: mine.tenantId, fence: 1, definitionId: mine.tenantId, clusterId: null }, entry),
    );
    await expect(run(`update weir.ledger set reason = 'x'`, [])).rejects.toMatchObject({ sqlState: '42501' });
    await expect(run('truncate weir.objects', [])).rejects.toMatchObject({ sqlState: '42501' });
  });

  test('without a tenant nothing is read and nothing is written, not even the counter', async () => {
    const client = new pg.Client(clientConfig(plane.appUrl, 'test'));
    await client.connect();
    try {
      for (const table of tables) expect((await client.query(`select count(*)::int as n from weir.${table}`)).rows).toEqual([{ n: 0 }]);
      await expect(client.query(`insert into weir.refs values ($1, $1, 'X', '', 'x', 'change')`, [randomUUID()])).rejects.toMatchObject({
        code: '42501',
      });
      expect((await client.query('update weir.version_counter set n = n + 1')).rowCount).toBe(0);
      expect((await client.query('update weir.dir_tenants set suspended = true')).rowCount).toBe(0);
    } finally {
      await client.end();
    }
  });

  test('a foreign name is answered as a free one, and an error quotes no value', async () => {
    const [, , mine, other] = tenants;
    if (mine === undefined || other === undefined) throw new Error('tenants are made');
    const same = newObject({ kind: 'ConfigMap', namespace: other.namespace, name: 'a' });
    const stored = await plane.db.inTenant(mine.scope, (tx) => insertObject(tx, same, noConsequences));
    expect(stored.name).toBe('a');
    const taken = plane.db.inTenant(mine.scope, (tx) =>
      tx.run(`insert into weir.refs select $1, $2, 'canary', '', 'x', 'change' from generate_series(1, 2)`, [mine.tenantId, randomUUID()]),
    );
    const error: unknown = await taken.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ sqlState: '23505', message: 'database: SQLSTATE 23505 on refs_pkey' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary');
  });

  test('the change log of another tenant is empty, whatever is asked', async () => {
    const [, , , mine, other] = tenants;
    if (mine === undefined || other === undefined) throw new Error('tenants are made');
    const log = await plane.db.inTenant(mine.scope, (tx) =>
      changesSince(tx, { kind: 'ConfigMap', namespaces: [other.namespace], after: '1', limit: 100 }),
    );
    expect(log).toMatchObject({ changes: [] });
  });
});

import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { testDatabase } from '#tests/harness/database.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { sharedPostgres, sharedRedis, testCluster } from '#tests/harness/parts.ts';

const children = useChildren();
const dir = useTemporaryDir();

async function ask(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('each test database is a clone of its template, which is prepared once', async () => {
  const prepared: string[] = [];
  const template = {
    name: 'harness',
    prepare: async (url: string) => {
      prepared.push(url);
      await ask(url, 'create table t as select 1 as n');
    },
  };
  const [one, two] = await Promise.all([testDatabase(template), testDatabase(template)]);
  await using _one = one;
  await using _two = two;
  expect(prepared).toHaveLength(1);
  await ask(one.superuserUrl, 'insert into t values (2)');
  expect(await ask(one.superuserUrl, 'select n from t order by n')).toEqual([1, 2]);
  expect(await ask(two.superuserUrl, 'select n from t order by n')).toEqual([1]);
});

test('a template that fails is not used, and tried again', async () => {
  const failing = { name: 'failing', prepare: async () => Promise.reject(new Error('no')) };
  await expect(testDatabase(failing)).rejects.toThrow('no');
  await using database = await testDatabase({ name: 'failing', prepare: async (url) => void (await ask(url, 'create table t()')) });
  expect(await ask(database.superuserUrl, 'select count(*)::int from t')).toEqual([0]);
});

test('everybody who asks gets the same parts', async () => {
  expect(await sharedPostgres()).toEqual(await sharedPostgres());
  expect(await sharedRedis()).toEqual(await sharedRedis());
  const [cluster, again] = await Promise.all([testCluster(), testCluster()]);
  expect(cluster).toEqual(again);
  expect(await callCluster(cluster.admin, { method: 'GET', path: '/readyz' })).toEqual({ status: 200, body: 'ok' });
  expect(await readFile(cluster.adminKubeconfigPath, 'utf8')).toContain(cluster.server);
});

test('the folder of a test is its own', () => {
  expect(dir()).toMatch(/weir-test-/);
  expect(children.live()).toEqual([]);
});

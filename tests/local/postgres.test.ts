import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Children, openChildren } from '#deploy/local/children.ts';
import { startPostgres } from '#deploy/local/postgres.ts';

let dir = '';
let children: Children;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-pg-'));
  children = openChildren();
});

afterEach(async () => {
  expect(children.live()).toEqual([]);
  children.close();
  await rm(dir, { recursive: true, force: true });
});

async function ask(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query({ text: sql, rowMode: 'array' });
    return result.rows.flat();
  } finally {
    await client.end();
  }
}

test('data outlives a stop, an immediate stop, and a new server on the same folder', async () => {
  const first = await startPostgres(children, { dir, fsync: false });
  await ask(first.superuserUrl, 'create table kept as select 42 as answer');
  await first.stop('immediate');
  expect(children.live()).toEqual([]);
  await first.start();
  expect(await ask(first.superuserUrl, 'select answer from kept')).toEqual([42]);
  await first.stop('fast');

  await using second = await startPostgres(children, { dir, fsync: false, settings: { max_connections: '30' } });
  expect(await ask(second.superuserUrl, 'select answer from kept')).toEqual([42]);
  expect(await ask(second.superuserUrl, 'show max_connections')).toEqual(['30']);
});

test('a wrong password is refused and the server is no root process', async () => {
  await using server = await startPostgres(children, { dir, fsync: false });
  const wrong = server.superuserUrl.replace(/:[0-9a-f]{48}@/, ':wrong@');
  await expect(ask(wrong, 'select 1')).rejects.toThrow(/password authentication failed/);
  expect(await ask(server.superuserUrl, 'show listen_addresses')).toEqual(['127.0.0.1']);
});

test('a second server on the same folder says which process has it', async () => {
  await using server = await startPostgres(children, { dir, fsync: false });
  await expect(startPostgres(children, { dir })).rejects.toThrow(new RegExp(`process ${server.pid()}\\) already runs on`));
});

test('a pid file left by a crash whose number is another living process does not hinder the start', async () => {
  const first = await startPostgres(children, { dir, fsync: false });
  await first.stop();
  await writeFile(join(dir, 'data/postmaster.pid'), `${process.pid}\n${dir}/data\n1\n5432\n\n127.0.0.1\n\nready\n`);
  await using second = await startPostgres(children, { dir, fsync: false });
  expect(await ask(second.superuserUrl, 'select 1')).toEqual([1]);
});

test('the data of another major version is refused with what to do', async () => {
  const first = await startPostgres(children, { dir, fsync: false });
  await first.stop();
  await writeFile(join(dir, 'data/PG_VERSION'), '15\n');
  await expect(startPostgres(children, { dir })).rejects.toThrow(/written by PostgreSQL 15, this is PostgreSQL 18; dump it/);
});

test('it starts below a folder that only its owner may pass', async () => {
  const closed = await mkdtemp(join(homedir(), '.weir-test-'));
  try {
    await using server = await startPostgres(children, { dir: join(closed, 'pg'), fsync: false });
    expect(await ask(server.superuserUrl, 'select 1')).toEqual([1]);
  } finally {
    await rm(closed, { recursive: true, force: true });
  }
});

test('a start that fails quotes the log', async () => {
  await expect(startPostgres(children, { dir, fsync: false, settings: { no_such_setting: '1' } })).rejects.toThrow(
    /ended before it was ready \(exit code 1\); the end of .*unrecognized configuration parameter/s,
  );
});

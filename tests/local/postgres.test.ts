import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '#deploy/local/postgres.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren();
const dir = useTemporaryDir();

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
  const first = await startPostgres(children, { dir: dir(), fsync: false });
  await ask(first.superuserUrl, 'create table kept as select 42 as answer');
  await first.stop('immediate');
  expect(children.live()).toEqual([]);
  await first.start();
  expect(await ask(first.superuserUrl, 'select answer from kept')).toEqual([42]);
  await first.stop('fast');

  await using second = await startPostgres(children, { dir: dir(), fsync: false, settings: { max_connections: '30' } });
  expect(await ask(second.superuserUrl, 'select answer from kept')).toEqual([42]);
  expect(await ask(second.superuserUrl, 'show max_connections')).toEqual(['30']);
});

test('a wrong password is refused and the server is no root process', async () => {
  await using server = await startPostgres(children, { dir: dir(), fsync: false });
  const wrong = server.superuserUrl.replace(/:[0-9a-f]{48}@/, ':wrong@');
  await expect(ask(wrong, 'select 1')).rejects.toThrow(/password authentication failed/);
  expect(await ask(server.superuserUrl, 'show listen_addresses')).toEqual(['127.0.0.1']);
});

test('a second server on the same folder says which process has it', async () => {
  await using server = await startPostgres(children, { dir: dir(), fsync: false });
  await expect(startPostgres(children, { dir: dir() })).rejects.toThrow(new RegExp(`process ${server.pid()}\\) already runs on`));
});

test('a pid file left by a crash whose number is another living process does not hinder the start', async () => {
  const first = await startPostgres(children, { dir: dir(), fsync: false });
  await first.stop();
  await writeFile(join(dir(), 'data/postmaster.pid'), `${process.pid}\n${dir()}/data\n1\n5432\n\n127.0.0.1\n\nready\n`);
  await using second = await startPostgres(children, { dir: dir(), fsync: false });
  expect(await ask(second.superuserUrl, 'select 1')).toEqual([1]);
});

test('the data of another major version is refused with what to do', async () => {
  const first = await startPostgres(children, { dir: dir(), fsync: false });
  await first.stop();
  await writeFile(join(dir(), 'data/PG_VERSION'), '15\n');
  await expect(startPostgres(children, { dir: dir() })).rejects.toThrow(/written by PostgreSQL 15, this is PostgreSQL 18; dump it/);
});

test('the same data serves below a folder that only its owner may pass, and after everybody may, and back', async () => {
  const home = join(dir(), 'pg');
  await chmod(dir(), 0o700);
  const closed = await startPostgres(children, { dir: home, fsync: false });
  await ask(closed.superuserUrl, 'create table kept as select 1 as n');
  await closed.stop();
  for (const mode of [0o711, 0o700]) {
    await chmod(dir(), mode);
    await using server = await startPostgres(children, { dir: home, fsync: false });
    expect(await ask(server.superuserUrl, 'select n from kept')).toEqual([1]);
  }
});

test('a start that fails quotes the log', async () => {
  await expect(startPostgres(children, { dir: dir(), fsync: false, settings: { no_such_setting: '1' } })).rejects.toThrow(
    /ended before it was ready \(exit code 1\); the end of .*unrecognized configuration parameter/s,
  );
});

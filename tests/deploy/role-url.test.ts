import pg from 'pg';
import { expect, test } from 'vitest';
import { appUrl } from '#adapters/postgres/migrate.ts';
import { roleUrl } from '#adapters/postgres/role-url.ts';
import { testDatabase } from '#tests/harness/database.ts';
import { testPasswords } from '#tests/postgres/plane.ts';

async function ask(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('with the owner’s login the schema is made first, by several at once, and the answer is a login of the role', async () => {
  await using database = await testDatabase();
  const wish = { databaseUrl: database.superuserUrl, ...testPasswords };
  const [app, again, scheduler] = await Promise.all([
    roleUrl({ ...wish, role: 'weir_app' }),
    roleUrl({ ...wish, role: 'weir_app' }),
    roleUrl({ ...wish, role: 'weir_scheduler' }),
  ]);
  expect(again).toBe(app);
  expect(await ask(app, 'select current_user::text')).toEqual(['weir_app']);
  expect(await ask(scheduler, 'select current_user::text')).toEqual(['weir_scheduler']);
  expect(await ask(app, `select count(*)::int from weir.dir_namespaces where name = 'weir-system'`)).toEqual([1]);
});

test('a login of the role itself is taken as it is: no password, no migration', async () => {
  await using database = await testDatabase();
  const own = appUrl(database.superuserUrl, 'weir_app', testPasswords.appPassword);
  expect(await roleUrl({ databaseUrl: own, role: 'weir_app', appPassword: null, schedulerPassword: null })).toBe(own);
  expect(await ask(database.superuserUrl, `select count(*)::int from pg_namespace where nspname = 'weir'`)).toEqual([0]);
});

test('another login without the passwords is refused with what to set', async () => {
  await using database = await testDatabase();
  const wish = {
    databaseUrl: database.superuserUrl,
    role: 'weir_scheduler',
    appPassword: 'only-one-of-the-two',
    schedulerPassword: null,
  } as const;
  await expect(roleUrl(wish)).rejects.toThrow(
    /is not a login of weir_scheduler.*WEIR_DATABASE_APP_PASSWORD and WEIR_DATABASE_SCHEDULER_PASSWORD/,
  );
});

import { expect, test } from 'vitest';
import { usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane();

/** Found before a tenant is known, or not a tenant's at all (design.md section 4): the only exceptions. */
const directory = ['dir_groups', 'dir_hooks', 'dir_members', 'dir_namespaces', 'dir_tenants', 'dir_tokens'];
const exceptions = [...directory, 'migrations', 'migrations_lock', 'version_counter'];
const rule = `(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)`;

async function policies(): Promise<ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>> {
  const rows = await plane.ask(
    `select tablename, policyname, permissive, roles::text[] as roles, cmd, qual, with_check from pg_policies where schemaname = 'weir' order by tablename, policyname`,
  );
  return Map.groupBy(rows, (row) => String(row['tablename']));
}

test('every table with a tenant has forced row-level security and one restrictive tenant policy for all commands', async () => {
  const tables = await plane.ask(
    `select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
      exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as has_tenant
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'weir' and c.relkind in ('r', 'p') order by 1`,
  );
  const found = await policies();
  const tenantTables = tables.filter((row) => row['has_tenant'] === true && !directory.includes(String(row['name'])));
  expect(tenantTables.length).toBeGreaterThanOrEqual(16);
  for (const table of tables) {
    const name = String(table['name']);
    if (name.startsWith('migrations')) continue;
    expect(table, name).toMatchObject({ enabled: true, forced: true });
    if (exceptions.includes(name)) continue;
    expect(table, name).toMatchObject({ has_tenant: true });
    const restrictive = (found.get(name) ?? []).filter((one) => one['permissive'] === 'RESTRICTIVE');
    expect(restrictive, name).toEqual([
      { tablename: name, policyname: 'tenant', permissive: 'RESTRICTIVE', roles: ['weir_app'], cmd: 'ALL', qual: rule, with_check: rule },
    ]);
  }
});

test('directory tables are written in the scope of their owner only, and the counter only inside a tenant', async () => {
  const found = await policies();
  for (const name of directory) {
    const mine = (found.get(name) ?? []).filter((one) => JSON.stringify(one['roles']) === '["weir_app"]');
    expect(
      mine.map((one) => [one['cmd'], one['qual'], one['with_check']]),
      name,
    ).toEqual([
      ['SELECT', 'true', null],
      ['INSERT', null, rule],
      ['UPDATE', rule, rule],
      ['DELETE', rule, null],
    ]);
  }
  const counter = (found.get('version_counter') ?? []).filter((one) => one['policyname'] === 'raised');
  expect(counter).toMatchObject([{ cmd: 'UPDATE', roles: ['weir_app'], qual: expect.stringContaining('IS NOT NULL') }]);
});

test('no policy is for everybody, and only the two roles have any', async () => {
  const roles = [...(await policies()).values()].flat().map((one) => JSON.stringify(one['roles']));
  expect([...new Set(roles)].toSorted()).toEqual(['["weir_app","weir_scheduler"]', '["weir_app"]', '["weir_scheduler"]']);
});

test('no view, materialised view or definer function looks past the policies', async () => {
  expect(
    await plane.ask(
      `select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'weir' and relkind in ('v', 'm')`,
    ),
  ).toEqual([]);
  expect(
    await plane.ask(`select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'weir' and prosecdef`),
  ).toEqual([]);
});

test('the tenant is part of every unique key of a tenant table', async () => {
  const keys = await plane.ask(
    `select c.relname as name, i.indexrelid::regclass::text as key from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'weir' and i.indisunique and c.relname <> all($1::text[])
      and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnum = any(i.indkey))`,
    [exceptions],
  );
  // The relay's own row number, which names nothing.
  expect(keys).toEqual([{ name: 'outbox', key: 'weir.outbox_pkey' }]);
});

test('foreign keys are not used: their checks skip row-level security', async () => {
  expect(
    await plane.ask(
      `select conname from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname = 'weir' and contype = 'f'`,
    ),
  ).toEqual([]);
});

test('the roles have no power, and own nothing', async () => {
  const roles = await plane.ask(
    `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit, (select count(*)::int from pg_class where relowner = r.oid) as owned,
      (select count(*)::int from pg_auth_members m where m.member = r.oid) as member_of
      from pg_roles r where rolname in ('weir_app', 'weir_scheduler') order by 1`,
  );
  const none = {
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
    rolinherit: false,
    owned: 0,
    member_of: 0,
  };
  expect(roles).toEqual([
    { rolname: 'weir_app', ...none },
    { rolname: 'weir_scheduler', ...none },
  ]);
});

test('privileges are those of the golden file', async () => {
  const rows = await plane.ask(
    `select grantee || ' ' || table_name || ' ' || privilege_type as line from information_schema.role_table_grants
        where table_schema = 'weir' and grantee in ('weir_app', 'weir_scheduler', 'PUBLIC')
      union all
      select grantee || ' ' || table_name || '(' || column_name || ') ' || privilege_type from information_schema.role_column_grants c
        where table_schema = 'weir' and grantee in ('weir_app', 'weir_scheduler', 'PUBLIC') and not exists (
          select from information_schema.role_table_grants t where t.table_schema = c.table_schema and t.table_name = c.table_name and t.grantee = c.grantee and t.privilege_type = c.privilege_type)
      order by 1`,
  );
  const lines = `${rows.map((row) => row['line']).join('\n')}\n`;
  await expect(lines).toMatchFileSnapshot('privileges.golden');
  expect(lines).not.toMatch(/TRUNCATE|REFERENCES|TRIGGER|PUBLIC/);
  expect(lines).not.toMatch(
    /weir_scheduler (objects\(sealed(_version)?\)|change_log\((sealed|object|before)|tenant_keys|cluster_credentials|audit|members|access_tokens|ledger|inventories)/,
  );
});

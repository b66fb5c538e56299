import type pg from 'pg';
import { booleanOf, numberOf, onlyRow, type Row, textOf } from './rows.ts';
import { cleanError } from './sql-error.ts';

export type AppRole = 'weir_app' | 'weir_scheduler';

const facts = `select current_user::text as name, current_setting('server_version_num')::int as version,
  (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication) as powerful,
  exists (select from pg_roles p where (p.rolsuper or p.rolbypassrls) and pg_has_role(current_user, p.oid, 'member')) as reaches_power,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'weir' and pg_has_role(current_user, c.relowner, 'member')) as owns
  from pg_roles r where r.rolname = current_user`;

/**
 * Refuses a role that skips row-level security: superuser or BYPASSRLS (FORCE binds neither), one that may become such a role,
 * or one that owns a table. Refuses servers below PostgreSQL 16 (threats K6).
 */
export async function assertRole(pool: pg.Pool, expected: AppRole): Promise<void> {
  let row: Row;
  try {
    row = onlyRow((await pool.query<Row>(facts)).rows);
  } catch (error) {
    throw cleanError(error);
  }
  const name = textOf(row, 'name');
  const refused = (why: string): never => {
    throw new Error(`the database role ${name} ${why}; connect as ${expected}, which \`weir\` migrations make`);
  };
  if (numberOf(row, 'version') < 160_000) throw new Error('PostgreSQL 16 or newer is needed');
  if (booleanOf(row, 'powerful')) refused('is a superuser, may bypass row-level security, or may make roles');
  if (booleanOf(row, 'reaches_power')) refused('may become a role that bypasses row-level security');
  if (booleanOf(row, 'owns')) refused('owns tables of the schema weir');
  if (name !== expected) refused(`is not ${expected}`);
}

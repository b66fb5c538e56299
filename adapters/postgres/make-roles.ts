import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { booleanOf, numberOf, onlyRow, type Row } from './rows.ts';

/** Owns every table; nobody logs in as it: the migrating role becomes it. */
export const ownerRole = 'weir_owner';

type Passwords = Readonly<{ ownerUrl: string; appPassword: string; schedulerPassword: string }>;

const maxTries = 8;
/** Roles belong to the whole server: migrators of two databases may meet here (tuple concurrently updated, duplicate role). */
const meetings: ReadonlySet<string> = Object.freeze(new Set(['XX000', '42710', '23505']));

/** Makes weir_owner, weir_app and weir_scheduler and the schema. A password that works already is not set again. */
export async function ensureRoles(passwords: Passwords): Promise<void> {
  const client = new pg.Client({ connectionString: passwords.ownerUrl, application_name: 'weir-migrate' });
  await client.connect();
  try {
    const version = onlyRow((await client.query<Row>(`select current_setting('server_version_num')::int as version`)).rows);
    if (numberOf(version, 'version') < 160_000) throw new Error('PostgreSQL 16 or newer is needed');
    await untilAlone(async () => ensureRole(client, ownerRole, 'nologin'));
    await untilAlone(async () => client.query(`grant ${ownerRole} to current_user with set true`));
    for (const [role, password] of [
      ['weir_app', passwords.appPassword],
      ['weir_scheduler', passwords.schedulerPassword],
    ] as const) {
      await untilAlone(async () => ensureRole(client, role, 'login'));
      if (!(await loginWorks(passwords.ownerUrl, role, password))) {
        await untilAlone(async () => client.query(`alter role ${role} password ${client.escapeLiteral(password)}`));
      }
    }
    await untilAlone(async () => client.query(`create schema if not exists weir authorization ${ownerRole}`));
  } finally {
    await client.end();
  }
}

async function ensureRole(client: pg.Client, role: string, login: 'login' | 'nologin'): Promise<void> {
  const found = onlyRow((await client.query<Row>('select exists (select from pg_roles where rolname = $1) as there', [role])).rows);
  if (booleanOf(found, 'there')) return;
  await client.query(`create role ${role} ${login} nosuperuser nobypassrls nocreaterole nocreatedb noreplication noinherit`);
}

async function loginWorks(ownerUrl: string, role: string, password: string): Promise<boolean> {
  const url = new URL(ownerUrl);
  url.username = role;
  url.password = encodeURIComponent(password);
  const probe = new pg.Client({ connectionString: url.toString(), application_name: 'weir-migrate' });
  try {
    await probe.connect();
    return true;
  } catch (error) {
    if (codeOf(error) === '28P01' || codeOf(error) === '28000') return false;
    throw error;
  } finally {
    await probe.end();
  }
}

async function untilAlone(step: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await step();
      return;
    } catch (error) {
      if (tries === maxTries || !meetings.has(codeOf(error))) throw error;
      await sleep(20 * tries);
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

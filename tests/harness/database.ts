import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { sharedPostgres } from '#tests/harness/parts.ts';

/** How a database looks before a test: made once per run and cloned for each file. */
export type DatabaseTemplate = Readonly<{
  /** Lower-case letters, digits and `_`; the same name always means the same content. */
  name: string;
  /** Fills an empty database, as superuser. Must close its connections. Only one process of a run is in it at a time, so it may create roles. */
  prepare(superuserUrl: string): Promise<void>;
}>;

export type TestDatabase = Readonly<{
  name: string;
  host: string;
  port: number;
  /** Superuser on this database. */
  superuserUrl: string;
  /** Drops it, ending connections that are left. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const templateLock = 7_236_001;

/** A database of its own on the run's shared server: empty, or a clone of the template (about 50 ms). */
export async function testDatabase(template?: DatabaseTemplate): Promise<TestDatabase> {
  const server = await sharedPostgres();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(server.superuserUrl, async (client) => {
    const source = template === undefined ? 'template0' : await ensureTemplate(client, server.superuserUrl, template);
    await client.query(`create database ${name} template ${source}`);
  });
  const drop = (): Promise<void> =>
    asAdmin(server.superuserUrl, async (client) => void (await client.query(`drop database if exists ${name} with (force)`)));
  return Object.freeze({
    name,
    host: server.host,
    port: server.port,
    superuserUrl: urlOf(server.superuserUrl, name),
    drop,
    [Symbol.asyncDispose]: drop,
  });
}

/** Prepared under another name and renamed when good, so that a failed preparation is never cloned. */
async function ensureTemplate(client: pg.Client, superuserUrl: string, template: DatabaseTemplate): Promise<string> {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(template.name)) throw new Error(`bad template name ${template.name}`);
  const name = `template_${template.name}`;
  await client.query('select pg_advisory_lock($1)', [templateLock]);
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 1) return name;
    const draft = `draft_${template.name}`;
    await client.query(`drop database if exists ${draft} with (force)`);
    await client.query(`create database ${draft} template template0`);
    await template.prepare(urlOf(superuserUrl, draft));
    await client.query(`alter database ${draft} rename to ${name}`);
    return name;
  } finally {
    await client.query('select pg_advisory_unlock($1)', [templateLock]);
  }
}

async function asAdmin<Result>(superuserUrl: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** The same login on another database. */
function urlOf(superuserUrl: string, database: string): string {
  const url = new URL(superuserUrl);
  url.pathname = `/${database}`;
  return url.href;
}

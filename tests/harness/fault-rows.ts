import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { StoredDefinition } from '#tests/harness/fault-checker.ts';

/** A work row: what the scheduler lives on. */
export type UnitRow = Readonly<{
  unit: string;
  kind: string;
  definition: string;
  cluster: string | null;
  triggerNo: number;
  handledNo: number;
  fence: number;
  failures: number;
  isDue: boolean;
  isLeased: boolean;
  isOffered: boolean;
}>;

/** The superuser's URL of the server that a plane keeps below its state folder, while it runs. */
export async function embeddedDatabaseUrl(stateDir: string): Promise<string> {
  const dir = join(stateDir, 'postgres');
  const [password, pidFile] = await Promise.all([
    readFile(join(dir, 'superuser-password'), 'utf8'),
    readFile(join(dir, 'data', 'postmaster.pid'), 'utf8'),
  ]);
  return `postgres://postgres:${password.trim()}@127.0.0.1:${pidFile.split('\n')[3] ?? ''}/weir`;
}

/** One statement past every right, on a connection of its own. */
export async function readRows<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 10_000 });
  await client.connect();
  try {
    return (await client.query<T>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

export function unitRows(url: string): Promise<readonly UnitRow[]> {
  return readRows<UnitRow>(
    url,
    `select w.unit_id as unit, w.kind, coalesce(o.name, '') as definition, w.cluster_id as cluster, w.trigger_no::int as "triggerNo",
        w.handled_no::int as "handledNo", w.fence::int as fence, w.failures, coalesce(w.due_at <= clock_timestamp(), false) as "isDue",
        coalesce(w.lease_until > clock_timestamp(), false) as "isLeased", coalesce(w.offered_until > clock_timestamp(), false) as "isOffered"
      from weir.work w left join weir.objects o on o.tenant_id = w.tenant_id and o.uid = w.definition_id order by w.kind, o.name`,
  );
}

/** Ids of every inventory entry of every delivery. */
export async function inventoryIds(url: string): Promise<ReadonlySet<string>> {
  const rows = await readRows<{ entry: string }>(url, 'select entry from weir.inventories');
  return new Set(rows.map((row) => row.entry));
}

/** ConfigMaps of the tenant in the plane, for INV-1. */
export async function storedConfigMaps(url: string): Promise<readonly StoredDefinition[]> {
  const rows = await readRows<{ name: string; generation: string; body: Readonly<{ data?: Readonly<{ value?: string }> }> }>(
    url,
    "select name, generation, body from weir.objects where kind = 'ConfigMap' order by name",
  );
  return rows.map((row) => ({ name: row.name, generation: Number(row.generation), content: row.body.data?.value ?? '' }));
}

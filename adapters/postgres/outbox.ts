import type { OutboxEntry } from '#core/store.ts';
import type { TenantTx } from './tenant-tx.ts';

/** Beside the entries that rules decide: a tenant came or went, so grants that name it are projected again. */
export type RelayEntry = OutboxEntry | Readonly<{ what: 'tenant'; name: string }>;

type Columns = Readonly<{ kind: string; namespace: string; name: string; wakesOn: string }>;

/** Adds rows for the relay in this transaction and wakes it after the commit. */
export async function addOutbox(tx: TenantTx, entries: readonly RelayEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(columnsOf);
  await Promise.all([
    tx.run(
      `insert into weir.outbox (tenant_id, what, kind, namespace, name, wakes_on)
        select $1, e.what, e.kind, e.namespace, e.name, e.wakes_on
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) e (what, kind, namespace, name, wakes_on)`,
      [
        tx.tenantId,
        entries.map((one) => one.what),
        rows.map((one) => one.kind),
        rows.map((one) => one.namespace),
        rows.map((one) => one.name),
        rows.map((one) => one.wakesOn),
      ],
    ),
    tx.query(`select pg_notify('weir_outbox', '')`),
  ]);
}

function columnsOf(entry: RelayEntry): Columns {
  const none = { kind: '', namespace: '', name: '', wakesOn: '' };
  switch (entry.what) {
    case 'wake':
      return { kind: entry.kind, namespace: entry.namespace, name: entry.name, wakesOn: entry.on };
    case 'places':
      return { ...none, namespace: entry.namespace };
    case 'grants':
      return { ...none, namespace: entry.clusterNamespace, name: entry.clusterName };
    case 'tenant':
      return { ...none, name: entry.name };
  }
}

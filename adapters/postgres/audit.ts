import { createHash } from 'node:crypto';
import { canonicalJson, isObject, type Json, parseJson } from '#core/json.ts';
import type { AuditEntry } from '#core/store.ts';
import { bytesOf, numberOf, type Row, textOf, textOrNull } from './rows.ts';
import { beforeNumbering, type TenantTx } from './tenant-tx.ts';

export type AuditRecord = Readonly<AuditEntry & { seq: number; atMs: number; hash: string }>;
export type AuditVerdict =
  | Readonly<{ ok: true; entries: number }>
  | Readonly<{ ok: false; entries: number; firstBadSeq: number; why: string }>;

const pageSize = 1_000;

/**
 * One statement: raises the head (its row is locked until the commit, so entries of a tenant have one order), stamps the database's clock, and adds the
 * entry. The hash is SHA-256 over the hash before, number, time and entry.
 */
const append = `with now as (select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms),
  head as (
    insert into weir.audit_heads as h (tenant_id, seq, hash)
      select $1, 1, sha256($3::bytea || convert_to('1' || chr(10) || now.ms || chr(10) || $2::text, 'UTF8')) from now
    on conflict (tenant_id) do update set seq = h.seq + 1,
      hash = sha256(h.hash || convert_to((h.seq + 1) || chr(10) || (select ms from now) || chr(10) || $2::text, 'UTF8'))
    returning seq, hash)
  insert into weir.audit (tenant_id, seq, at_ms, entry, hash) select $1, head.seq, now.ms, $2::text, head.hash from head, now`;

/** Chains one entry in the transaction of the change it records (INV-12). Comes before the object write, since it waits for the tenant's head row. */
export async function appendAudit(tx: TenantTx, entry: AuditEntry): Promise<void> {
  beforeNumbering(tx, 'appendAudit');
  await tx.run(append, [tx.tenantId, canonicalJson(entry), genesis(tx.tenantId)]);
}

/** Before the first entry: bound to the tenant, so that a whole chain cannot pass for another's. */
function genesis(tenantId: string): Buffer {
  return createHash('sha256').update(`weir-audit/${tenantId}`).digest();
}

/** Hashes the tenant's chain again, page by page. Run it in a `snapshot` transaction. A cut tail together with a forged head needs an outside anchor to be seen. */
export async function verifyAudit(tx: TenantTx): Promise<AuditVerdict> {
  const [head] = await tx.query('select seq, hash from weir.audit_heads where tenant_id = $1', [tx.tenantId]);
  let previous: Uint8Array = genesis(tx.tenantId);
  let seq = 0;
  for (;;) {
    const rows = await tx.query('select seq, at_ms, entry, hash from weir.audit where tenant_id = $1 and seq > $2 order by seq limit $3', [
      tx.tenantId,
      seq,
      pageSize,
    ]);
    for (const row of rows) {
      seq += 1;
      if (numberOf(row, 'seq') !== seq) return bad(seq, `entry ${seq} is missing`);
      const wanted = createHash('sha256')
        .update(previous)
        .update(`${seq}\n${textOf(row, 'at_ms')}\n${textOf(row, 'entry')}`)
        .digest();
      if (!wanted.equals(bytesOf(row, 'hash'))) return bad(seq, `entry ${seq} does not match its hash`);
      previous = wanted;
    }
    if (rows.length < pageSize) break;
  }
  const headSeq = head === undefined ? 0 : numberOf(head, 'seq');
  if (headSeq !== seq) return bad(Math.min(headSeq, seq) + 1, `the head says ${headSeq} entries, ${seq} are there`);
  if (head !== undefined && !Buffer.from(previous).equals(bytesOf(head, 'hash'))) return bad(seq, 'the head does not match the last entry');
  return { ok: true, entries: seq };
}

function bad(firstBadSeq: number, why: string): AuditVerdict {
  return { ok: false, entries: firstBadSeq - 1, firstBadSeq, why };
}

/** Newest first, those below `beforeSeq`. */
export async function listAudit(tx: TenantTx, query: Readonly<{ beforeSeq?: number; limit: number }>): Promise<readonly AuditRecord[]> {
  const rows = await tx.query(
    'select seq, at_ms, entry, hash from weir.audit where tenant_id = $1 and seq < $2 order by seq desc limit $3',
    [tx.tenantId, query.beforeSeq ?? Number.MAX_SAFE_INTEGER, query.limit],
  );
  return rows.map(recordOf);
}

function recordOf(row: Row): AuditRecord {
  const entry = parseJson(textOf(row, 'entry'));
  if (!isObject(entry)) throw new Error('database: an audit entry is no object');
  const detail: Json = entry['detail'] ?? null;
  return {
    seq: numberOf(row, 'seq'),
    atMs: numberOf(row, 'at_ms'),
    hash: Buffer.from(bytesOf(row, 'hash')).toString('hex'),
    actor: textOf(entry, 'actor'),
    via: textOf(entry, 'via'),
    verb: textOf(entry, 'verb'),
    kind: textOf(entry, 'kind'),
    namespace: textOf(entry, 'namespace'),
    name: textOf(entry, 'name'),
    requestId: textOf(entry, 'requestId'),
    beforeDigest: textOrNull(entry, 'beforeDigest'),
    afterDigest: textOrNull(entry, 'afterDigest'),
    detail,
  };
}

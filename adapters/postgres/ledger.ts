import { isObject, type Json, stringifyJson } from '#core/json.ts';
import type { LedgerEntry, ObjectResult, Run } from '#core/store.ts';
import { jsonOf, numberOf, type Row, textOf, textOrNull } from './rows.ts';
import type { SqlValue, TenantTx } from './tenant-tx.ts';

export type LedgerRecord = Readonly<
  LedgerEntry & {
    /** Opaque; give it as `before` for the next page. */ id: string;
    atMs: number;
    unitId: string;
    definitionId: string;
    clusterId: string | null;
    /** Null when the delivery is gone by now. */
    clusterName: string | null;
  }
>;
export type LedgerQuery = Readonly<{ definitionId?: string; unitId?: string; before?: string; clusterName?: string; limit: number }>;

/** Appends one attempt. A run (unit and fence) has at most one entry. */
export async function addLedger(
  tx: TenantTx,
  run: Pick<Run, 'unitId' | 'fence' | 'definitionId' | 'clusterId'>,
  entry: LedgerEntry,
): Promise<void> {
  await tx.run(
    `insert into weir.ledger (tenant_id, unit_id, fence, definition_id, cluster_id, cause, actor, revision, origin_revision, artifact_digest, render_digest,
        outcome, reason, message, objects, duration_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      tx.tenantId,
      run.unitId,
      run.fence,
      run.definitionId,
      run.clusterId,
      entry.cause,
      entry.actor,
      entry.revision,
      entry.originRevision,
      entry.artifactDigest,
      entry.renderDigest,
      entry.outcome,
      entry.reason,
      entry.message,
      stringifyJson(entry.objects.map((one) => ({ ...one }))),
      Math.round(entry.durationMs),
    ],
  );
}

/** The name as the delivery has it: the ledger itself knows the cluster's id only, which a new cluster of that name does not share. */
const clusterName = `select o.body #>> '{spec,cluster,name}' from weir.objects o where o.tenant_id = l.tenant_id and o.uid = l.unit_id`;
const columns = `unit_id, fence, at, (extract(epoch from at) * 1000000)::bigint as at_us, definition_id, cluster_id, cause, actor, revision, origin_revision,
  artifact_digest, render_digest, outcome, reason, message, objects, duration_ms, (${clusterName}) as cluster_name`;

/** Newest first; of one definition (all its deliveries) or one unit. */
export async function listLedger(tx: TenantTx, query: LedgerQuery): Promise<readonly LedgerRecord[]> {
  const values: SqlValue[] = [tx.tenantId, query.limit];
  const bind = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = ['tenant_id = $1'];
  if (query.definitionId !== undefined) conditions.push(`definition_id = ${bind(query.definitionId)}`);
  if (query.unitId !== undefined) conditions.push(`unit_id = ${bind(query.unitId)}`);
  if (query.clusterName !== undefined) conditions.push(`(${clusterName}) = ${bind(query.clusterName)}`);
  const before = /^([0-9]{1,17})_([0-9a-f-]{36})_([0-9]{1,17})$/.exec(query.before ?? '');
  if (before !== null) {
    const [, atUs = '', unitId = '', fence = ''] = before;
    conditions.push(
      `(at, unit_id, fence) < ('epoch'::timestamptz + ${bind(atUs)}::bigint * interval '1 microsecond', ${bind(unitId)}::uuid, ${bind(fence)}::bigint)`,
    );
  }
  const rows = await tx.query(
    `select ${columns} from weir.ledger l where ${conditions.join(' and ')} order by at desc, unit_id desc, fence desc limit $2`,
    values,
  );
  return rows.map(recordOf);
}

function recordOf(row: Row): LedgerRecord {
  return {
    id: `${textOf(row, 'at_us')}_${textOf(row, 'unit_id')}_${textOf(row, 'fence')}`,
    atMs: numberOf(row, 'at'),
    unitId: textOf(row, 'unit_id'),
    definitionId: textOf(row, 'definition_id'),
    clusterId: textOrNull(row, 'cluster_id'),
    clusterName: textOrNull(row, 'cluster_name'),
    cause: textOf(row, 'cause'),
    actor: textOf(row, 'actor'),
    revision: textOrNull(row, 'revision'),
    originRevision: textOrNull(row, 'origin_revision'),
    artifactDigest: textOrNull(row, 'artifact_digest'),
    renderDigest: textOrNull(row, 'render_digest'),
    outcome: textOf(row, 'outcome'),
    reason: textOf(row, 'reason'),
    message: textOf(row, 'message'),
    objects: resultsOf(jsonOf(row, 'objects')),
    durationMs: numberOf(row, 'duration_ms'),
  };
}

const actions: readonly ObjectResult['action'][] = Object.freeze([
  'created',
  'configured',
  'unchanged',
  'deleted',
  'skipped',
  'failed',
  'unknown',
]);

function resultsOf(value: Json): readonly ObjectResult[] {
  if (!Array.isArray(value)) throw new Error('database: column objects of ledger is no list');
  return value.map((one: Json) => {
    const action = isObject(one) ? actions.find((known) => known === one['action']) : undefined;
    if (!isObject(one) || action === undefined) throw new Error('database: column objects of ledger holds no result');
    const message = one['message'];
    return { id: textOf(one, 'id'), action, ...(typeof message === 'string' ? { message } : {}) };
  });
}

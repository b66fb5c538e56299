import { textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

export type ArtifactRow = Readonly<{ digest: string; revision: string; sourceUid: string; sizeBytes: number }>;

/** How many artifacts of one source stay referenced: runs under way and returns to a last good revision read older ones. */
const keptPerSource = 10;

/** A source's artifact belongs to the scope's tenant from now on. Idempotent; the oldest of the source beyond ten are given to the collector. */
export async function recordArtifact(tx: TenantTx, artifact: ArtifactRow): Promise<void> {
  await Promise.all([
    tx.run(
      `insert into weir.artifacts (tenant_id, digest, source_uid, revision, size_bytes) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, digest, source_uid) do update set revision = excluded.revision, recorded_at = clock_timestamp()`,
      [tx.tenantId, artifact.digest, artifact.sourceUid, artifact.revision, artifact.sizeBytes],
    ),
    tx.run(
      `delete from weir.artifacts where tenant_id = $1 and source_uid = $2 and digest in (
        select digest from weir.artifacts where tenant_id = $1 and source_uid = $2 order by recorded_at desc offset $3)`,
      [tx.tenantId, artifact.sourceUid, keptPerSource],
    ),
  ]);
}

/** Whether one of the tenant's own sources produced it: the gate before an artifact is served or rendered. */
export async function artifactOwned(tx: TenantTx, digest: string): Promise<boolean> {
  const rows = await tx.query('select 1 from weir.artifacts where tenant_id = $1 and digest = $2 limit 1', [tx.tenantId, digest]);
  return rows.length === 1;
}

/** Which of these digests the tenant's sources produced. */
export async function artifactsNamed(tx: TenantTx, digests: readonly string[]): Promise<readonly string[]> {
  const rows = await tx.query('select distinct digest from weir.artifacts where tenant_id = $1 and digest = any($2::text[])', [
    tx.tenantId,
    digests,
  ]);
  return rows.map((row) => textOf(row, 'digest'));
}

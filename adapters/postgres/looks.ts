import { isObject, type Json } from '#core/json.ts';
import type { GitRef } from '#core/ports.ts';
import { jsonOf, numberOf, textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/** What this tenant's own `ls-remote` of a URL (by its digest) advertised: only commits reachable from it are this tenant's to have (design.md section 3). */
export async function rememberLook(tx: TenantTx, urlDigest: string, refs: readonly GitRef[], atMs: number): Promise<void> {
  await tx.run(
    `insert into weir.remote_looks (tenant_id, url_digest, refs, looked_at) values ($1, $2, $3, to_timestamp($4::float8 / 1000))
      on conflict (tenant_id, url_digest) do update set refs = excluded.refs, looked_at = excluded.looked_at where remote_looks.looked_at <= excluded.looked_at`,
    [tx.tenantId, urlDigest, JSON.stringify(refs), atMs],
  );
}

export async function recallLook(tx: TenantTx, urlDigest: string): Promise<Readonly<{ refs: readonly GitRef[]; atMs: number }> | null> {
  const [row] = await tx.query('select refs, looked_at from weir.remote_looks where tenant_id = $1 and url_digest = $2', [
    tx.tenantId,
    urlDigest,
  ]);
  return row === undefined ? null : { refs: refsOf(jsonOf(row, 'refs')), atMs: numberOf(row, 'looked_at') };
}

function refsOf(value: Json): readonly GitRef[] {
  if (!Array.isArray(value)) throw new Error('database: column refs of remote_looks is no list');
  return value.map((one: Json) => {
    if (!isObject(one)) throw new Error('database: column refs of remote_looks holds no ref');
    return { name: textOf(one, 'name'), commit: textOf(one, 'commit') };
  });
}

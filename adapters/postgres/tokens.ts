import { isObject, type Json } from '#core/json.ts';
import { allVerbs, roles, type Verb } from '#core/resource.ts';
import type { TokenLimits } from '#core/tenant.ts';
import type { FoundToken, TokenEntry } from './directory.ts';
import { jsonOf, numberOf, type Row, textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/** The token of the scope's tenant with this hash, or null. */
export async function tokenOf(tx: TenantTx, hash: string): Promise<FoundToken | null> {
  const [row] = await tx.query('select * from weir.access_tokens where hash = $1 and tenant_id = $2', [hash, tx.tenantId]);
  return row === undefined ? null : { ...entryOf(row), ownerTenantId: tx.tenantId };
}

function entryOf(row: Row): TokenEntry {
  const role = roles.find((one) => one === row['role']);
  if (role === undefined) throw new Error('database: column role of access_tokens holds no role');
  return {
    hash: textOf(row, 'hash'),
    uid: textOf(row, 'uid'),
    name: textOf(row, 'name'),
    namespace: textOf(row, 'namespace'),
    limits: limitsOf(jsonOf(row, 'limits')),
    role,
    makerKey: textOf(row, 'maker_key'),
    expiresAtMs: numberOf(row, 'expires_at'),
  };
}

function limitsOf(value: Json): TokenLimits {
  if (!isObject(value)) throw new Error('database: column limits of access_tokens is no map');
  const limits: Record<string, readonly Verb[]> = {};
  for (const [plural, verbs] of Object.entries(value)) {
    if (!Array.isArray(verbs)) throw new Error('database: column limits of access_tokens holds no list of verbs');
    limits[plural] = allVerbs.filter((verb) => verbs.includes(verb));
  }
  return limits;
}

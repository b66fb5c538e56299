import type pg from 'pg';
import type { Role } from '#core/resource.ts';
import { roles } from '#core/resource.ts';
import { type Membership, PLATFORM_TENANT_ID, scopeOfOwner, type TenantScope } from '#core/tenant.ts';
import type { Caller, Directory, TenantEntry } from './directory.ts';
import { booleanOf, type Row, textListOf, textOf } from './rows.ts';
import { cleanError } from './sql-error.ts';
import type { SqlValue, TenantTx } from './tenant-tx.ts';
import { tokenOf } from './tokens.ts';

type InTenants = <T>(scopes: readonly TenantScope[], fn: (scope: TenantScope, tx: TenantTx) => Promise<T>) => Promise<readonly T[]>;
type Ask = (text: string, values: readonly SqlValue[]) => Promise<readonly Row[]>;

const tenantColumns = 'tenant_id, name, names, prefixes, suspended';

export function openDirectory(pool: pg.Pool, inTenants: InTenants): Directory {
  const ask: Ask = async (text, values) => {
    try {
      return (await pool.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw cleanError(error);
    }
  };
  const one = async <T>(text: string, values: readonly SqlValue[], read: (row: Row) => T): Promise<T | null> => {
    const [row] = await ask(text, values);
    return row === undefined ? null : read(row);
  };
  return Object.freeze({
    tenantOfNamespace: (name: string) =>
      one(
        'select t.tenant_id, t.name, t.suspended from weir.dir_namespaces n join weir.dir_tenants t using (tenant_id) where n.name = $1',
        [name],
        (row) => ({
          tenantId: textOf(row, 'tenant_id'),
          tenantName: textOf(row, 'name'),
          suspended: booleanOf(row, 'suspended'),
        }),
      ),
    tenantByName: (name: string) => one(`select ${tenantColumns} from weir.dir_tenants where name = $1`, [name], tenantOf),
    tenantById: (tenantId: string) => one(`select ${tenantColumns} from weir.dir_tenants where tenant_id = $1`, [tenantId], tenantOf),
    tenants: async () =>
      (await ask(`select ${tenantColumns} from weir.dir_tenants where tenant_id <> $1 order by name`, [PLATFORM_TENANT_ID])).map(tenantOf),
    membershipsOf: (caller: Caller) => membershipsOf(ask, inTenants, caller),
    namespacesOf: async (tenantId: string) =>
      (await ask('select name from weir.dir_namespaces where tenant_id = $1 order by name', [tenantId])).map((row) => textOf(row, 'name')),
    tokenByHash: async (hash: string) => {
      const ownerTenantId = await one('select tenant_id from weir.dir_tokens where hash = $1', [hash], (row) => textOf(row, 'tenant_id'));
      if (ownerTenantId === null) return null;
      const [token] = await inTenants([asDirectory(ownerTenantId)], (_scope, tx) => tokenOf(tx, hash));
      return token ?? null;
    },
    hookByDigest: (digest: string) =>
      one('select tenant_id, receiver_uid from weir.dir_hooks where digest = $1', [digest], (row) => ({
        ownerTenantId: textOf(row, 'tenant_id'),
        receiverUid: textOf(row, 'receiver_uid'),
      })),
  });
}

export function tenantOf(row: Row): TenantEntry {
  return {
    tenantId: textOf(row, 'tenant_id'),
    name: textOf(row, 'name'),
    namespaces: { names: textListOf(row, 'names'), prefixes: textListOf(row, 'prefixes') },
    suspended: booleanOf(row, 'suspended'),
  };
}

function asDirectory(ownerTenantId: string): TenantScope {
  return scopeOfOwner({ ownerTenantId }, { name: 'directory', via: 'worker' });
}

const tenantsOfCaller = `select tenant_id from weir.dir_members where issuer = $1 and subject = $2
  union select tenant_id from weir.dir_groups where issuer = $1 and oidc_group = any($3::text[])`;

const membershipOfCaller = `select t.name, t.suspended,
  (select json_agg(m.role) from weir.members m where m.issuer = $1 and ((not m.is_group and m.name = $2) or (m.is_group and m.name = any($3::text[])))) as roles,
  (select coalesce(json_agg(n.name order by n.name), '[]') from weir.dir_namespaces n where n.tenant_id = t.tenant_id) as namespaces
  from weir.dir_tenants t where t.tenant_id = $4`;

async function membershipsOf(ask: Ask, inTenants: InTenants, caller: Caller): Promise<readonly Membership[]> {
  const found = await ask(tenantsOfCaller, [caller.issuer, caller.subject, caller.groups]);
  const scopes = found
    .map((row) => textOf(row, 'tenant_id'))
    .filter((id) => id !== PLATFORM_TENANT_ID)
    .map(asDirectory);
  const memberships = await inTenants(scopes, async (scope, tx) => {
    const [row] = await tx.query(membershipOfCaller, [caller.issuer, caller.subject, caller.groups, scope.tenantId]);
    if (row === undefined || row['roles'] === null) return null;
    return {
      tenantId: scope.tenantId,
      tenantName: textOf(row, 'name'),
      role: strongest(textListOf(row, 'roles')),
      namespaces: textListOf(row, 'namespaces'),
    };
  });
  return memberships.filter((one) => one !== null).toSorted((a, b) => (a.tenantName < b.tenantName ? -1 : 1));
}

function strongest(held: readonly string[]): Role {
  const role = roles.toReversed().find((one) => held.includes(one));
  if (role === undefined) throw new Error('database: a member row without a known role');
  return role;
}

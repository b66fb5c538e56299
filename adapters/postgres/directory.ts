import { AppError } from '#core/errors.ts';
import type { Role } from '#core/resource.ts';
import type { Membership, TokenLimits } from '#core/tenant.ts';
import { tenantOf } from './directory-reads.ts';
import { overlapOf } from './namespace-policy.ts';
import { addOutbox } from './outbox.ts';
import { numberOf, onlyRow, textOf } from './rows.ts';
import { beforeNumbering, type TenantTx } from './tenant-tx.ts';

/** Namespaces of the plane that a tenant may have: by name, or all with a prefix. */
export type NamespacePolicy = Readonly<{ names: readonly string[]; prefixes: readonly string[] }>;
export type TenantDirectoryInput = Readonly<{
  name: string;
  suspended: boolean;
  namespaces: NamespacePolicy;
  members: readonly Readonly<{ issuer: string; subject: string; role: Role }>[];
  groups: readonly Readonly<{ issuer: string; group: string; role: Role }>[];
}>;

/** An access token as the plane keeps it: never the token, only the SHA-256 of it. */
export type TokenEntry = Readonly<{
  /** Lower-case hex SHA-256 of the token text. */
  hash: string;
  /** uid of the AccessToken object. */
  uid: string;
  name: string;
  namespace: string;
  limits: TokenLimits;
  /** Role of the maker when it was made; the rights at use are never more than the maker's then. */
  role: Role;
  /** `issuer|subject` of the maker. */
  makerKey: string;
  expiresAtMs: number;
}>;
export type FoundToken = Readonly<TokenEntry & { ownerTenantId: string }>;

export type TenantEntry = Readonly<{ tenantId: string; name: string; namespaces: NamespacePolicy; suspended: boolean }>;
export type Caller = Readonly<{ issuer: string; subject: string; groups: readonly string[] }>;

/**
 * What can be found before a tenant is known (design.md section 4): the directory tables say the tenant's id, what else is needed is read
 * in that tenant's scope. Short statements of their own.
 */
export interface Directory {
  tenantOfNamespace(name: string): Promise<Readonly<{ tenantId: string; tenantName: string; suspended: boolean }> | null>;
  tenantByName(name: string): Promise<TenantEntry | null>;
  tenantById(tenantId: string): Promise<TenantEntry | null>;
  /** All tenants but the platform's, by name. For lists of a platform admin. */
  tenants(): Promise<readonly TenantEntry[]>;
  /** Tenants of a caller with the strongest of their roles; the platform tenant is never in it. */
  membershipsOf(caller: Caller): Promise<readonly Membership[]>;
  /** Namespaces of one tenant, by name. */
  namespacesOf(tenantId: string): Promise<readonly string[]>;
  /** `hash`: lower-case hex SHA-256 of the token text. An expired token is found too: compare `expiresAtMs`. */
  tokenByHash(hash: string): Promise<FoundToken | null>;
  hookByDigest(digest: string): Promise<Readonly<{ ownerTenantId: string; receiverUid: string }> | null>;
}

/** Writes of namespace policies take turns, so that two new tenants cannot overlap each other. */
const policyLock = 7_201_001;

/**
 * Name, members, groups and namespace policy of the scope's tenant, replaced as a whole. Throws AppError invalid (cause on spec.namespaces) when
 * another tenant's policy overlaps, alreadyExists when another tenant has the name. A new tenant is told to the relay: grants may name it already.
 */
export async function putTenantDirectory(tx: TenantTx, input: TenantDirectoryInput): Promise<void> {
  beforeNumbering(tx, 'putTenantDirectory');
  await tx.query('select pg_advisory_xact_lock($1)', [policyLock]);
  const tenants = (await tx.query('select tenant_id, name, names, prefixes, suspended from weir.dir_tenants')).map(tenantOf);
  const others = tenants.filter((one) => one.tenantId !== tx.tenantId);
  if (others.some((one) => one.name === input.name))
    throw new AppError('alreadyExists', `tenants.weir.dev "${input.name}" already exists`, { name: input.name });
  for (const other of others) refuseOverlap(overlapOf(input.namespaces, other.namespaces));
  const known = tenants.find((one) => one.tenantId === tx.tenantId);
  await Promise.all([
    tx.run(
      `insert into weir.dir_tenants (tenant_id, name, names, prefixes, suspended) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id) do update set name = excluded.name, names = excluded.names, prefixes = excluded.prefixes, suspended = excluded.suspended`,
      [tx.tenantId, input.name, JSON.stringify(input.namespaces.names), JSON.stringify(input.namespaces.prefixes), input.suspended],
    ),
    putMembers(tx, input),
    ...(known?.name === input.name ? [] : [addOutbox(tx, [{ what: 'tenant', name: input.name }])]),
  ]);
}

/** Tells nothing of the other tenant, not even its name. */
function refuseOverlap(overlap: string | null): void {
  if (overlap === null) return;
  const message = `${overlap} overlaps with namespaces of another tenant`;
  throw new AppError('invalid', message, { causes: [{ reason: 'FieldValueInvalid', field: 'spec.namespaces', message }] });
}

async function putMembers(tx: TenantTx, input: TenantDirectoryInput): Promise<void> {
  const people = input.members.map((one) => ({ issuer: one.issuer, name: one.subject, role: one.role, isGroup: false }));
  const groups = input.groups.map((one) => ({ issuer: one.issuer, name: one.group, role: one.role, isGroup: true }));
  const all = [...people, ...groups];
  const columns = [
    all.map((one) => one.issuer),
    all.map((one) => one.name),
    all.map((one) => one.role),
    all.map((one) => String(one.isGroup)),
  ];
  await Promise.all([
    ...['members', 'dir_members', 'dir_groups'].map((table) => tx.run(`delete from weir.${table} where tenant_id = $1`, [tx.tenantId])),
    tx.run(
      `insert into weir.members (tenant_id, issuer, is_group, name, role)
        select $1, m.issuer, m.is_group, m.name, m.role from unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) m (issuer, name, role, is_group)
        on conflict do nothing`,
      [tx.tenantId, ...columns],
    ),
    tx.run(
      'insert into weir.dir_members (tenant_id, issuer, subject) select tenant_id, issuer, name from weir.members where tenant_id = $1 and not is_group',
      [tx.tenantId],
    ),
    tx.run(
      'insert into weir.dir_groups (tenant_id, issuer, oidc_group) select tenant_id, issuer, name from weir.members where tenant_id = $1 and is_group',
      [tx.tenantId],
    ),
  ]);
}

/** Removes every directory row of the scope's tenant: from then on nobody is a member, no token and no hook is found. */
export async function dropTenantDirectory(tx: TenantTx): Promise<void> {
  beforeNumbering(tx, 'dropTenantDirectory');
  const [tenant] = await tx.query('select name from weir.dir_tenants where tenant_id = $1', [tx.tenantId]);
  if (tenant === undefined) return;
  const tables = ['dir_tenants', 'dir_namespaces', 'dir_members', 'dir_groups', 'dir_tokens', 'dir_hooks', 'members', 'access_tokens'];
  await Promise.all([
    ...tables.map((table) => tx.run(`delete from weir.${table} where tenant_id = $1`, [tx.tenantId])),
    addOutbox(tx, [{ what: 'tenant', name: textOf(tenant, 'name') }]),
  ]);
}

/** Claims a namespace of the plane for the scope's tenant. Idempotent for the owner; AppError alreadyExists when another tenant has it. */
export async function putNamespace(tx: TenantTx, name: string): Promise<void> {
  beforeNumbering(tx, 'putNamespace');
  await tx.run('insert into weir.dir_namespaces (name, tenant_id) values ($1, $2) on conflict (name) do nothing', [name, tx.tenantId]);
  const mine = onlyRow(
    await tx.query('select count(*)::int as found from weir.dir_namespaces where name = $1 and tenant_id = $2', [name, tx.tenantId]),
  );
  if (numberOf(mine, 'found') === 0)
    throw new AppError('alreadyExists', `namespaces "${name}" already exists`, { name, kind: 'namespaces' });
}

export async function dropNamespace(tx: TenantTx, name: string): Promise<void> {
  beforeNumbering(tx, 'dropNamespace');
  await tx.run('delete from weir.dir_namespaces where name = $1 and tenant_id = $2', [name, tx.tenantId]);
}

/** Stores a token of the scope's tenant and makes it findable by its hash. Idempotent by the uid. */
export async function putToken(tx: TenantTx, token: TokenEntry): Promise<void> {
  beforeNumbering(tx, 'putToken');
  await dropToken(tx, token.uid);
  await Promise.all([
    tx.run('insert into weir.dir_tokens (hash, tenant_id) values ($1, $2)', [token.hash, tx.tenantId]),
    tx.run(
      `insert into weir.access_tokens (tenant_id, uid, hash, name, namespace, limits, role, maker_key, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000))`,
      [
        tx.tenantId,
        token.uid,
        token.hash,
        token.name,
        token.namespace,
        JSON.stringify(token.limits),
        token.role,
        token.makerKey,
        token.expiresAtMs,
      ],
    ),
  ]);
}

/** By the uid of the AccessToken object. Idempotent. */
export async function dropToken(tx: TenantTx, uid: string): Promise<void> {
  beforeNumbering(tx, 'dropToken');
  await tx.run(
    `with gone as (delete from weir.access_tokens where uid = $1 and tenant_id = $2 returning hash)
      delete from weir.dir_tokens where hash in (select hash from gone) and tenant_id = $2`,
    [uid, tx.tenantId],
  );
}

/** Sets the path digest of a receiver; the one before is forgotten. */
export async function putHook(tx: TenantTx, hook: Readonly<{ digest: string; receiverUid: string }>): Promise<void> {
  beforeNumbering(tx, 'putHook');
  await tx.run(
    `insert into weir.dir_hooks (digest, tenant_id, receiver_uid) values ($1, $2, $3)
      on conflict on constraint dir_hooks_receiver do update set digest = excluded.digest where dir_hooks.digest <> excluded.digest`,
    [hook.digest, tx.tenantId, hook.receiverUid],
  );
}

export async function dropHook(tx: TenantTx, receiverUid: string): Promise<void> {
  beforeNumbering(tx, 'dropHook');
  await tx.run('delete from weir.dir_hooks where tenant_id = $1 and receiver_uid = $2', [tx.tenantId, receiverUid]);
}

/** Records the id of an accepted webhook delivery; false when it was seen before (a replay). Kept 24 hours. */
export async function rememberHookDelivery(tx: TenantTx, receiverUid: string, deliveryId: string): Promise<boolean> {
  const count = await tx.run(
    'insert into weir.hook_deliveries (tenant_id, receiver_uid, delivery_id) values ($1, $2, $3) on conflict do nothing',
    [tx.tenantId, receiverUid, deliveryId],
  );
  return count === 1;
}

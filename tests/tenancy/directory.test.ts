import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  dropHook,
  dropNamespace,
  dropTenantDirectory,
  dropToken,
  putHook,
  putNamespace,
  putTenantDirectory,
  putToken,
  rememberHookDelivery,
  type TenantDirectoryInput,
} from '#adapters/postgres/directory.ts';
import { overlapOf } from '#adapters/postgres/namespace-policy.ts';
import { PLATFORM_TENANT_ID, scopeOfOwner } from '#core/tenant.ts';
import { type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane();
const issuer = 'https://issuer';
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function input(name: string, part: Partial<TenantDirectoryInput> = {}): TenantDirectoryInput {
  return { name, suspended: false, namespaces: { names: [name], prefixes: [] }, members: [], groups: [], ...part };
}

async function change(tenant: TestTenant, part: Partial<TenantDirectoryInput>): Promise<void> {
  await plane.db.inTenant(tenant.scope, (tx) => putTenantDirectory(tx, input(tenant.name, part)));
}

describe('memberships', () => {
  test('by subject and by group, the strongest role, with the namespaces of the tenant; another issuer is nobody', async () => {
    const [a, b] = [await plane.newTenant('a-members'), await plane.newTenant('b-members')];
    await change(a, {
      members: [{ issuer, subject: 'ann', role: 'viewer' }],
      groups: [
        { issuer, group: 'dev', role: 'admin' },
        { issuer, group: 'ops', role: 'editor' },
      ],
    });
    await change(b, { members: [{ issuer, subject: 'ann', role: 'editor' }] });
    await plane.db.inTenant(a.scope, (tx) => putNamespace(tx, 'a-more'));
    const of = (subject: string, groups: string[] = [], from = issuer) =>
      plane.db.directory.membershipsOf({ issuer: from, subject, groups });
    const inA = { tenantId: a.tenantId, tenantName: a.name, namespaces: ['a-members', 'a-more'] };
    const inB = { tenantId: b.tenantId, tenantName: b.name, namespaces: ['b-members'] };
    expect(await of('ann')).toEqual([
      { ...inA, role: 'viewer' },
      { ...inB, role: 'editor' },
    ]);
    expect(await of('ann', ['ops', 'dev'])).toEqual([
      { ...inA, role: 'admin' },
      { ...inB, role: 'editor' },
    ]);
    expect(await of('bob', ['ops'])).toEqual([{ ...inA, role: 'editor' }]);
    expect(await of('dev')).toEqual([]);
    expect(await of('ann', ['dev'], 'https://other')).toEqual([]);
    await change(a, { members: [] });
    expect(await of('ann', ['dev'])).toEqual([{ ...inB, role: 'editor' }]);
  });

  test('the platform tenant is never one', async () => {
    const scope = scopeOfOwner({ ownerTenantId: PLATFORM_TENANT_ID }, { name: 't', via: 'oidc' });
    await plane.db.inTenant(scope, (tx) =>
      putTenantDirectory(tx, input('weir-system', { members: [{ issuer, subject: 'root', role: 'admin' }] })),
    );
    expect(await plane.db.directory.membershipsOf({ issuer, subject: 'root', groups: [] })).toEqual([]);
    expect((await plane.db.directory.tenants()).some((one) => one.tenantId === PLATFORM_TENANT_ID)).toBe(false);
    expect(await plane.db.directory.tenantOfNamespace('weir-system')).toEqual({
      tenantId: PLATFORM_TENANT_ID,
      tenantName: 'weir-system',
      suspended: false,
    });
  });
});

describe('namespaces', () => {
  test('a namespace belongs to exactly one tenant, and is free again when it goes', async () => {
    const [a, b] = [await plane.newTenant(), await plane.newTenant()];
    await plane.db.inTenant(a.scope, (tx) => putNamespace(tx, 'shared-name'));
    await plane.db.inTenant(a.scope, (tx) => putNamespace(tx, 'shared-name'));
    await expect(plane.db.inTenant(b.scope, (tx) => putNamespace(tx, 'shared-name'))).rejects.toMatchObject({ code: 'alreadyExists' });
    expect(await plane.db.directory.tenantOfNamespace('shared-name')).toEqual({
      tenantId: a.tenantId,
      tenantName: a.name,
      suspended: false,
    });
    await plane.db.inTenant(b.scope, (tx) => dropNamespace(tx, 'shared-name'));
    expect(await plane.db.directory.namespacesOf(a.tenantId)).toEqual(['shared-name', a.namespace].toSorted());
    await plane.db.inTenant(a.scope, (tx) => dropNamespace(tx, 'shared-name'));
    await plane.db.inTenant(b.scope, (tx) => putNamespace(tx, 'shared-name'));
    expect((await plane.db.directory.tenantOfNamespace('shared-name'))?.tenantId).toBe(b.tenantId);
  });

  test.each([
    [{ names: ['a'], prefixes: [] }, { names: ['a'], prefixes: [] }, 'name "a"'],
    [{ names: ['team-x'], prefixes: [] }, { names: [], prefixes: ['team-'] }, 'name "team-x"'],
    [{ names: [], prefixes: ['team-'] }, { names: ['team-x'], prefixes: [] }, 'prefix "team-"'],
    [{ names: [], prefixes: ['team-a-'] }, { names: [], prefixes: ['team-'] }, 'prefix "team-a-"'],
    [{ names: [], prefixes: ['team-'] }, { names: [], prefixes: ['team-a-'] }, 'prefix "team-"'],
    [{ names: ['a', 'team'], prefixes: ['b-'] }, { names: ['b'], prefixes: ['a-', 'team-'] }, null],
  ])('overlap of %j with %j', (mine, other, overlap) => {
    expect(overlapOf(mine, other)).toBe(overlap);
  });

  test('a policy that overlaps is refused with a cause, and so is the second of two at once', async () => {
    await plane.newTenant('overlap-a');
    const scopeOf = () => scopeOfOwner({ ownerTenantId: randomUUID() }, { name: 't', via: 'oidc' });
    const put = (name: string, prefixes: string[]) =>
      plane.db.inTenant(scopeOf(), (tx) => putTenantDirectory(tx, input(name, { namespaces: { names: [], prefixes } })));
    const refused = { code: 'invalid', details: { causes: [{ field: 'spec.namespaces', reason: 'FieldValueInvalid' }] } };
    const error: unknown = await put('overlap-b', ['overlap-']).catch((caught: unknown) => caught);
    expect(error).toMatchObject(refused);
    expect(String(error)).not.toContain('overlap-a');
    await expect(put('overlap-a', ['elsewhere-'])).rejects.toMatchObject({ code: 'alreadyExists' });
    const both = await Promise.allSettled([put('race-1', ['race-']), put('race-2', ['race-'])]);
    expect(both.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('tokens and hooks', () => {
  test('a token is found by its hash with its owner, and no more after it is dropped', async () => {
    const tenant = await plane.newTenant();
    const token = {
      hash: hash(randomUUID()),
      uid: randomUUID(),
      name: 'ci',
      namespace: tenant.namespace,
      limits: { kustomizations: ['get', 'patch'] },
      role: 'editor',
      makerKey: `${issuer}|ann`,
      expiresAtMs: 1_800_000_000_000,
    } as const;
    await plane.db.inTenant(tenant.scope, (tx) => putToken(tx, token));
    expect(await plane.db.directory.tokenByHash(token.hash)).toEqual({ ...token, ownerTenantId: tenant.tenantId });
    expect(await plane.db.directory.tokenByHash(hash('other'))).toBeNull();
    const next = { ...token, hash: hash(randomUUID()) };
    await plane.db.inTenant(tenant.scope, (tx) => putToken(tx, next));
    expect(await plane.db.directory.tokenByHash(token.hash)).toBeNull();
    await plane.db.inTenant((await plane.newTenant()).scope, (tx) => dropToken(tx, token.uid));
    expect(await plane.db.directory.tokenByHash(next.hash)).not.toBeNull();
    await plane.db.inTenant(tenant.scope, (tx) => dropToken(tx, token.uid));
    expect(await plane.db.directory.tokenByHash(next.hash)).toBeNull();
  });

  test('a hook is found by its digest; a replayed delivery is told', async () => {
    const tenant = await plane.newTenant();
    const receiverUid = randomUUID();
    const [one, two] = [hash(randomUUID()), hash(randomUUID())];
    await plane.db.inTenant(tenant.scope, (tx) => putHook(tx, { digest: one, receiverUid }));
    await plane.db.inTenant(tenant.scope, (tx) => putHook(tx, { digest: two, receiverUid }));
    expect(await plane.db.directory.hookByDigest(one)).toBeNull();
    expect(await plane.db.directory.hookByDigest(two)).toEqual({ ownerTenantId: tenant.tenantId, receiverUid });
    const seen = (id: string) => plane.db.inTenant(tenant.scope, (tx) => rememberHookDelivery(tx, receiverUid, id));
    expect([await seen('x'), await seen('x'), await seen('y')]).toEqual([true, false, true]);
    await plane.db.inTenant(tenant.scope, (tx) => dropHook(tx, receiverUid));
    expect(await plane.db.directory.hookByDigest(two)).toBeNull();
  });
});

test('a dropped tenant leaves nothing in the directory, and its name is free', async () => {
  const tenant = await plane.newTenant('gone-soon');
  await change(tenant, { members: [{ issuer, subject: 'zoe', role: 'admin' }] });
  await plane.db.inTenant(tenant.scope, dropTenantDirectory);
  const { directory } = plane.db;
  expect(
    await Promise.all([
      directory.tenantByName('gone-soon'),
      directory.tenantById(tenant.tenantId),
      directory.tenantOfNamespace('gone-soon'),
    ]),
  ).toEqual([null, null, null]);
  expect(await directory.membershipsOf({ issuer, subject: 'zoe', groups: [] })).toEqual([]);
  const again = await plane.newTenant('gone-soon');
  expect(await directory.tenantByName('gone-soon')).toEqual({
    tenantId: again.tenantId,
    name: 'gone-soon',
    suspended: false,
    namespaces: { names: ['gone-soon'], prefixes: ['gone-soon--'] },
  });
});

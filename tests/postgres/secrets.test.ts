import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { putCredential, readCredential } from '#adapters/postgres/cluster-access.ts';
import { type KeyRing, openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { changesSince, insertObject, noConsequences, updateObject } from '#adapters/postgres/objects.ts';
import { destroyKeys } from '#adapters/postgres/sealing.ts';
import { openSecret, sealSecret } from '#adapters/postgres/secrets.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane();
const dir = useTemporaryDir('file');
const clock = { nowMs: 1_000_000 };
let keys: KeyRing;

beforeAll(async () => {
  keys = openKeyRing(await openKeyFile(join(dir(), 'kek')), () => clock.nowMs);
});

const text = (value: string): Uint8Array => Buffer.from(value);

async function storeSecret(tenant: TestTenant, name: string, data: Record<string, Uint8Array>) {
  return plane.db.inTenant(tenant.scope, async (tx) => {
    const object = newObject({ kind: 'Secret', namespace: tenant.namespace, name, body: { type: 'Opaque' } });
    const sealed = await sealSecret(tx, keys, { uid: object.uid, version: 1 }, data);
    return insertObject(tx, { ...object, sealed }, noConsequences);
  });
}

function open(tenant: TestTenant, object: Parameters<typeof openSecret>[2], ring: KeyRing = keys) {
  return plane.db.inTenant(tenant.scope, (tx) => openSecret(tx, ring, object));
}

describe('secrets', () => {
  test('values come back, key names show, and no value stands in any table', async () => {
    const tenant = await plane.newTenant();
    const stored = await storeSecret(tenant, 'one', { token: text('canary-7f3e'), binary: Uint8Array.of(0, 255, 1) });
    expect(stored.sealedKeys).toEqual(['binary', 'token']);
    expect(await open(tenant, stored)).toEqual({ binary: Buffer.from([0, 255, 1]), token: Buffer.from('canary-7f3e') });
    for (const table of ['objects', 'change_log', 'outbox', 'work', 'tenant_keys']) {
      const rows = await plane.ask(`select t::text as line from weir.${table} t`);
      expect(rows.some((row) => /canary-7f3e|Y2FuYXJ5LTdmM2|63616e6172792d37663365/.test(String(row['line'])))).toBe(false);
    }
  });

  test('a change of labels keeps the values; old states open from the change log; removed values are gone', async () => {
    const tenant = await plane.newTenant();
    const first = await storeSecret(tenant, 'one', { token: text('v1') });
    const labelled = await plane.db.inTenant(tenant.scope, (tx) =>
      updateObject(tx, first, { ...first, labels: { a: 'b' } }, noConsequences),
    );
    const second = await plane.db.inTenant(tenant.scope, async (tx) => {
      const sealed = await sealSecret(tx, keys, { uid: first.uid, version: 2 }, { token: text('v2'), more: text('x') });
      return updateObject(tx, labelled, { ...labelled, generation: 2 }, noConsequences, { sealed });
    });
    expect(second.sealedKeys).toEqual(['more', 'token']);
    const bare = await plane.db.inTenant(tenant.scope, (tx) =>
      updateObject(tx, second, { ...second, generation: 3 }, noConsequences, { sealed: null }),
    );
    const values = await Promise.all([first, labelled, second, bare].map((one) => open(tenant, one)));
    expect(values).toEqual([
      { token: Buffer.from('v1') },
      { token: Buffer.from('v1') },
      { more: Buffer.from('x'), token: Buffer.from('v2') },
      {},
    ]);
    const log = await plane.db.inTenant(tenant.scope, (tx) =>
      changesSince(tx, { kind: 'Secret', namespaces: null, after: first.resourceVersion, limit: 9 }),
    );
    if (log === 'expired') throw new Error('the log is fresh');
    const [change] = log.changes;
    expect(change?.before).toEqual(first);
    if (change !== undefined) expect(await open(tenant, change.object)).toEqual({ token: Buffer.from('v1') });
    await expect(open(tenant, { ...first, resourceVersion: '1' })).rejects.toMatchObject({ code: 'expired' });
  });

  test('a ciphertext moved to another tenant, row, column or version does not open', async () => {
    const [one, two] = [await plane.newTenant(), await plane.newTenant()];
    const mine = await storeSecret(one, 'mine', { token: text('mine') });
    const other = await storeSecret(one, 'other', { token: text('other') });
    const foreign = await storeSecret(two, 'foreign', { token: text('foreign') });
    const move = (from: string, to: string) =>
      plane.ask('update weir.objects set sealed = (select sealed from weir.objects where uid = $1) where uid = $2', [from, to]);
    await move(mine.uid, other.uid);
    await expect(open(one, other)).rejects.toMatchObject({ code: 'decryptFailed' });
    await move(mine.uid, foreign.uid);
    await expect(open(two, foreign)).rejects.toMatchObject({ code: 'decryptFailed' });
    // Even with the other tenant's data key copied along.
    await plane.ask(
      'insert into weir.tenant_keys select $2, key_class, dek_id, wrapped, kek_id, made_at from weir.tenant_keys where tenant_id = $1',
      [one.tenantId, two.tenantId],
    );
    await expect(open(two, foreign)).rejects.toMatchObject({ code: 'decryptFailed' });
    await plane.ask('update weir.objects set sealed_version = 2 where uid = $1', [mine.uid]);
    await expect(open(one, mine)).rejects.toMatchObject({ code: 'decryptFailed' });

    await plane.db.inTenant(one.scope, (tx) => putCredential(tx, keys, mine.uid, 'bootstrap', { issuedAtMs: 1, expiresAtMs: 2 }));
    await plane.ask(
      'update weir.objects set sealed_version = 1, sealed = (select sealed from weir.cluster_credentials where cluster_uid = $1) where uid = $1',
      [mine.uid],
    );
    await expect(open(one, mine)).rejects.toMatchObject({ code: 'decryptFailed' });
  });

  test('a changed byte, a cut value and a destroyed key do not open', async () => {
    const tenant = await plane.newTenant();
    const stored = await storeSecret(tenant, 'one', { token: text('value') });
    await plane.ask(
      'update weir.objects set sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1) where uid = $1',
      [stored.uid],
    );
    await expect(open(tenant, stored)).rejects.toMatchObject({ code: 'decryptFailed' });
    await plane.ask(`update weir.objects set sealed = '\\x01' where uid = $1`, [stored.uid]);
    await expect(open(tenant, stored)).rejects.toMatchObject({ code: 'decryptFailed' });
    const next = await storeSecret(tenant, 'two', { token: text('value') });
    await plane.db.inTenant(tenant.scope, (tx) => destroyKeys(tx, keys));
    await expect(open(tenant, next)).rejects.toMatchObject({ code: 'decryptFailed' });
  });

  test('an opened data key is used for at most five minutes', async () => {
    const tenant = await plane.newTenant();
    const stored = await storeSecret(tenant, 'one', { token: text('value') });
    await open(tenant, stored);
    await plane.ask('delete from weir.tenant_keys where tenant_id = $1', [tenant.tenantId]);
    clock.nowMs += 299_000;
    expect(await open(tenant, stored)).toEqual({ token: Buffer.from('value') });
    clock.nowMs += 1_001;
    await expect(open(tenant, stored)).rejects.toMatchObject({ code: 'decryptFailed' });
  });

  test('the same value is sealed differently each time', async () => {
    const tenant = await plane.newTenant();
    await storeSecret(tenant, 'one', { token: text('same') });
    const seals = await plane.db.inTenant(tenant.scope, async (tx) => {
      const all: string[] = [];
      for (let index = 0; index < 500; index += 1) {
        const { sealed } = await sealSecret(tx, keys, { uid: tenant.tenantId, version: 1 }, { token: text('same') });
        all.push(Buffer.from(sealed).subarray(17, 29).toString('hex'));
      }
      return all;
    });
    expect(new Set(seals).size).toBe(500);
  });

  test('a credential of a cluster is replaced and read back by its owner alone', async () => {
    const [owner, other] = [await plane.newTenant(), await plane.newTenant()];
    const write = (token: string, issuedAtMs: number) =>
      plane.db.inTenant(owner.scope, (tx) =>
        putCredential(tx, keys, owner.tenantId, token, { issuedAtMs, expiresAtMs: issuedAtMs + 10_000 }),
      );
    await write('first', 1_700_000_000_123);
    await write('second', 1_700_000_000_456);
    expect(await plane.db.inTenant(owner.scope, (tx) => readCredential(tx, keys, owner.tenantId))).toEqual({
      token: 'second',
      issuedAtMs: 1_700_000_000_456,
      expiresAtMs: 1_700_000_010_456,
    });
    expect(await plane.db.inTenant(other.scope, (tx) => readCredential(tx, keys, owner.tenantId))).toBeNull();
  });
});

describe('the key file', () => {
  test('it is made once with mode 0600, by several processes at once as well', async () => {
    const path = join(dir(), 'made');
    const rings = await Promise.all(Array.from({ length: 8 }, () => openKeyFile(path)));
    expect(new Set(rings.map((one) => one.keyId)).size).toBe(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('a file that others may read, or with a line that is no key, is refused', async () => {
    const path = join(dir(), 'loose');
    await openKeyFile(path);
    await chmod(path, 0o640);
    await expect(openKeyFile(path)).rejects.toThrow('may be read by others');
    await writeFile(join(dir(), 'bad'), 'short\n', { mode: 0o600 });
    await expect(openKeyFile(join(dir(), 'bad'))).rejects.toThrow('no key of 32 bytes');
  });

  test('a new key in the first line seals, the old one still opens; without the old one it says which key is missing', async () => {
    const tenant = await plane.newTenant();
    const path = join(dir(), 'rotated');
    const old = openKeyRing(await openKeyFile(path), () => 0);
    const context = { tenantId: tenant.tenantId, keyClass: 'secret' } as const;
    const wrapped = await old.wrap.wrap(context, Buffer.alloc(32, 7));
    const fresh = Buffer.alloc(32, 9).toString('base64');
    await writeFile(path, `${fresh}\n${await readFile(path, 'utf8')}`);
    const both = await openKeyFile(path);
    expect(both.keyId).not.toBe(old.wrap.keyId);
    expect(await both.unwrap(context, wrapped, old.wrap.keyId)).toEqual(Buffer.alloc(32, 7));
    await writeFile(path, `${fresh}\n`);
    await expect((await openKeyFile(path)).unwrap(context, wrapped, old.wrap.keyId)).rejects.toMatchObject({
      code: 'decryptFailed',
      message: expect.stringContaining(old.wrap.keyId),
    });
    await expect(both.unwrap({ ...context, keyClass: 'cluster-credential' }, wrapped, old.wrap.keyId)).rejects.toMatchObject({
      code: 'decryptFailed',
    });
  });
});

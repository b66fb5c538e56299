import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import type { DataKey, KeyClass, KeyContext, KeyRing } from './key-ring.ts';
import { bytesOf, textOf } from './rows.ts';
import type { TenantTx } from './tenant-tx.ts';

/** Where a sealed value stands. All of it is authenticated with the value: moved elsewhere, it does not open (threats 4.2). */
export type Place = Readonly<{ table: string; row: string; column: string; version: number }>;

const format = 1;
const headBytes = 17;
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM under the tenant's data key of this class, which is made at first use. Layout: format, key id, nonce, tag, ciphertext. */
export async function seal(tx: TenantTx, keys: KeyRing, keyClass: KeyClass, place: Place, plain: Uint8Array): Promise<Uint8Array> {
  const { dekId, dek } = await currentKey(tx, keys, { tenantId: tx.tenantId, keyClass });
  const head = Buffer.concat([Buffer.from([format]), Buffer.from(dekId.replaceAll('-', ''), 'hex')]);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', dek, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(tx.tenantId, place, head));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([head, nonce, cipher.getAuthTag(), body]);
}

/** Throws AppError decryptFailed when the value was changed, moved, or sealed under a key that is not at hand. Never quotes a value. */
export async function unseal(tx: TenantTx, keys: KeyRing, keyClass: KeyClass, place: Place, sealed: Uint8Array): Promise<Uint8Array> {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < headBytes + nonceBytes + tagBytes || bytes[0] !== format) throw failed(place);
  const head = bytes.subarray(0, headBytes);
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes);
  const tag = bytes.subarray(headBytes + nonceBytes, headBytes + nonceBytes + tagBytes);
  const { dek } = await knownKey(tx, keys, { tenantId: tx.tenantId, keyClass }, uuidOf(head.subarray(1)), place);
  const decipher = createDecipheriv('aes-256-gcm', dek, nonce, { authTagLength: tagBytes });
  decipher.setAAD(boundTo(tx.tenantId, place, head));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(bytes.subarray(headBytes + nonceBytes + tagBytes)), decipher.final()]);
  } catch {
    // Node says only "unable to authenticate": every cause is the same to the caller.
    throw failed(place);
  }
}

/** Destroys the tenant's data keys: whatever was sealed under them never opens again (deletion of a tenant, step 4). */
export async function destroyKeys(tx: TenantTx, keys: KeyRing): Promise<void> {
  await tx.run('delete from weir.tenant_keys where tenant_id = $1', [tx.tenantId]);
  keys.forgetTenant(tx.tenantId);
}

function boundTo(tenantId: string, place: Place, head: Uint8Array): Buffer {
  return Buffer.concat([head, Buffer.from(JSON.stringify(['weir', tenantId, place.table, place.row, place.column, place.version]))]);
}

/** The newest data key of that class, made when there is none. Throws AppError decryptFailed. */
export async function currentKey(tx: TenantTx, keys: KeyRing, context: KeyContext): Promise<DataKey> {
  const [row] = await tx.query(
    'select dek_id from weir.tenant_keys where tenant_id = $1 and key_class = $2 order by made_at desc limit 1',
    [tx.tenantId, context.keyClass],
  );
  if (row !== undefined)
    return knownKey(tx, keys, context, textOf(row, 'dek_id'), { table: 'tenant_keys', row: '', column: 'wrapped', version: 0 });
  const key = { dekId: randomUUID(), dek: randomBytes(32) };
  const wrapped = await keys.wrap.wrap(context, key.dek);
  await tx.run('insert into weir.tenant_keys (tenant_id, key_class, dek_id, wrapped, kek_id) values ($1, $2, $3, $4, $5)', [
    tx.tenantId,
    context.keyClass,
    key.dekId,
    wrapped,
    keys.wrap.keyId,
  ]);
  // Not remembered: this transaction may still be rolled back, and then no row would say how to open what a later one seals with it.
  return key;
}

async function knownKey(tx: TenantTx, keys: KeyRing, context: KeyContext, dekId: string, place: Place): Promise<DataKey> {
  const recalled = keys.recall(context, dekId);
  if (recalled !== null) return recalled;
  const [row] = await tx.query('select wrapped, kek_id from weir.tenant_keys where tenant_id = $1 and key_class = $2 and dek_id = $3', [
    tx.tenantId,
    context.keyClass,
    dekId,
  ]);
  if (row === undefined) throw failed(place);
  const key = { dekId, dek: await keys.wrap.unwrap(context, bytesOf(row, 'wrapped'), textOf(row, 'kek_id')) };
  keys.remember(context, key);
  return key;
}

function failed(place: Place): AppError {
  return new AppError('decryptFailed', `a sealed value of ${place.table} does not open with the key file at hand`);
}

function uuidOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

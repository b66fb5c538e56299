import { AppError } from '#core/errors.ts';
import { isObject, parseJson } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import type { KeyRing } from './key-ring.ts';
import { bytesOf, numberOf } from './rows.ts';
import { seal, unseal } from './sealing.ts';
import type { TenantTx } from './tenant-tx.ts';

/** Sealed `data` of a Secret, ready to be stored: key names in clear, values inside. */
export type SealedMap = Readonly<{ keys: readonly string[]; sealed: Uint8Array; version: number }>;

/** Seals the values of a Secret for the row `uid`. `version` is the generation that the write gives the object. */
export async function sealSecret(
  tx: TenantTx,
  keys: KeyRing,
  row: Readonly<{ uid: string; version: number }>,
  data: Readonly<Record<string, Uint8Array>>,
): Promise<SealedMap> {
  const names = Object.keys(data).toSorted();
  const encoded = names.map((name) => [name, Buffer.from(data[name] ?? new Uint8Array()).toString('base64')]);
  const plain = Buffer.from(JSON.stringify(Object.fromEntries(encoded)));
  return { keys: names, version: row.version, sealed: await seal(tx, keys, 'secret', placeOf(row.uid, row.version), plain) };
}

const held = `select sealed, sealed_version from weir.objects where tenant_id = $1 and uid = $2 and resource_version = $3
  union all select sealed, sealed_version from weir.change_log where tenant_id = $1 and uid = $2 and resource_version = $3 limit 1`;

/**
 * Values of a Secret as it was at `object.resourceVersion`: of the stored object or of a Change. Empty when it has none.
 * Throws AppError expired when that state is no longer held, decryptFailed. Never log, store or quote what comes back.
 */
export async function openSecret(
  tx: TenantTx,
  keys: KeyRing,
  object: Pick<StoredObject, 'uid' | 'resourceVersion' | 'name'>,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const [row] = await tx.query(held, [tx.tenantId, object.uid, object.resourceVersion]);
  if (row === undefined) throw new AppError('expired', `Secret "${object.name}" changed in between: read it again`);
  if (row['sealed'] === null) return {};
  const plain = await unseal(tx, keys, 'secret', placeOf(object.uid, numberOf(row, 'sealed_version')), bytesOf(row, 'sealed'));
  return decode(Buffer.from(plain).toString('utf8'));
}

function placeOf(uid: string, version: number) {
  return { table: 'objects', row: uid, column: 'sealed', version };
}

function decode(text: string): Readonly<Record<string, Uint8Array>> {
  const value = parseJson(text);
  if (!isObject(value)) throw new Error('a sealed map holds no map');
  const data: Record<string, Uint8Array> = {};
  for (const [name, encoded] of Object.entries(value)) {
    if (typeof encoded !== 'string') throw new Error('a sealed map holds another thing than text');
    data[name] = Buffer.from(encoded, 'base64');
  }
  return data;
}

const SEALED_TEXT = 'sealed:v1:';

/** Seals one text that stands beside the values of a Secret (an annotation that embeds the object), for the row `uid`. */
export async function sealText(tx: TenantTx, keys: KeyRing, uid: string, column: string, text: string): Promise<string> {
  const sealed = await seal(tx, keys, 'secret', { table: 'objects', row: uid, column, version: 0 }, Buffer.from(text, 'utf8'));
  return `${SEALED_TEXT}${Buffer.from(sealed).toString('base64')}`;
}

/** The text again; what is not sealed comes back as it is. Throws AppError decryptFailed. Never log, store or quote what comes back. */
export async function openText(tx: TenantTx, keys: KeyRing, uid: string, column: string, text: string): Promise<string> {
  if (!text.startsWith(SEALED_TEXT)) return text;
  const sealed = Buffer.from(text.slice(SEALED_TEXT.length), 'base64');
  return Buffer.from(await unseal(tx, keys, 'secret', { table: 'objects', row: uid, column, version: 0 }, sealed)).toString('utf8');
}

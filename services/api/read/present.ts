import type { KeyRing } from '#adapters/postgres/key-ring.ts';
import { openSecret } from '#adapters/postgres/secrets.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import type { JsonObject } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { toWire } from '#services/api/wire/object.ts';
import { openLastApplied } from '#services/api/write/last-applied.ts';

/** An object as the caller may see it. Values are opened only where `reveal` says so, inside the tenant's own transaction. */
export async function present(tx: TenantTx, keys: KeyRing, resource: Resource, object: StoredObject, reveal: boolean): Promise<JsonObject> {
  if (!reveal) return toWire(resource, object, 'masked');
  const opened = await openLastApplied(tx, keys, resource, object);
  return toWire(resource, opened, object.sealedKeys.length === 0 ? {} : await openedValues(tx, keys, object));
}

/** Values of a Secret in base64, by key. */
export async function openedValues(tx: TenantTx, keys: KeyRing, object: StoredObject): Promise<Readonly<Record<string, string>>> {
  if (object.sealedKeys.length === 0) return {};
  const opened = await openSecret(tx, keys, object);
  return Object.fromEntries(Object.entries(opened).map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]));
}

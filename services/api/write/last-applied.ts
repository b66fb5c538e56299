import type { KeyRing } from '#adapters/postgres/key-ring.ts';
import { openText, sealText } from '#adapters/postgres/secrets.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import type { Resource } from '#core/resource.ts';
import { LAST_APPLIED } from '#services/api/wire/object.ts';

type Annotated = Readonly<{ uid: string; annotations: Readonly<Record<string, string>> }>;

/**
 * kubectl notes the whole applied object in an annotation; for a Secret that holds its values, so it is sealed at rest like them (INV-11).
 * An annotation that equals the stored one is left as it is: its writer did not see it. Other kinds pass unchanged.
 */
export async function sealLastApplied<T extends Annotated>(
  tx: TenantTx,
  keys: KeyRing,
  resource: Resource,
  object: T,
  before: Annotated | null,
): Promise<T> {
  const text = object.annotations[LAST_APPLIED];
  if (resource.secretFields.length === 0 || text === undefined || text === before?.annotations[LAST_APPLIED]) return object;
  return { ...object, annotations: { ...object.annotations, [LAST_APPLIED]: await sealText(tx, keys, object.uid, LAST_APPLIED, text) } };
}

/** The object with the annotation readable again, for somebody who may read the values. */
export async function openLastApplied<T extends Annotated>(tx: TenantTx, keys: KeyRing, resource: Resource, object: T): Promise<T> {
  const text = object.annotations[LAST_APPLIED];
  if (resource.secretFields.length === 0 || text === undefined) return object;
  return { ...object, annotations: { ...object.annotations, [LAST_APPLIED]: await openText(tx, keys, object.uid, LAST_APPLIED, text) } };
}

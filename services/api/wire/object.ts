import type { Json, JsonObject } from '#core/json.ts';
import { apiVersionOf, type Resource } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { rfc3339 } from '#core/time.ts';

/** kubectl keeps the whole last applied object here, values included. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The values under `secretFields` that an answer may hold, by key of `data` in base64.
 * `masked`: keys without values, and no annotation that embeds the object (design.md section 4).
 */
export type Values = 'masked' | Readonly<Record<string, string>>;

/** A stored object as the API shows it. Pure. */
export function toWire(resource: Resource, object: StoredObject, values: Values = 'masked'): JsonObject {
  const isSecret = resource.secretFields.length > 0;
  const annotations = isSecret && values === 'masked' ? without(object.annotations, LAST_APPLIED) : object.annotations;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: metadataOf(resource, object, annotations),
    ...object.body,
    ...(isSecret && object.sealedKeys.length > 0 ? { data: dataOf(object, values) } : {}),
    ...(object.status === null ? {} : { status: object.status }),
  };
}

function metadataOf(resource: Resource, object: StoredObject, annotations: Readonly<Record<string, string>>): JsonObject {
  const metadata: Record<string, Json> = { name: object.name };
  if (object.namespace !== '') metadata.namespace = object.namespace;
  metadata.uid = object.uid;
  if (object.resourceVersion !== '') metadata.resourceVersion = object.resourceVersion;
  // Core kinds without a spec carry none on a real API server.
  if (resource.group !== '') metadata.generation = object.generation;
  metadata.creationTimestamp = rfc3339(object.createdAtMs);
  if (object.deletingAtMs !== null) {
    metadata.deletionTimestamp = rfc3339(object.deletingAtMs);
    metadata.deletionGracePeriodSeconds = 0;
  }
  if (Object.keys(object.labels).length > 0) metadata.labels = object.labels;
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  if (object.finalizers.length > 0) metadata.finalizers = object.finalizers;
  if (object.ownerReferences.length > 0) metadata.ownerReferences = object.ownerReferences.map((owner) => ({ ...owner }));
  if (object.managedFields.length > 0) metadata.managedFields = object.managedFields;
  return metadata;
}

/** Masked values are null: a mask that is written back is refused by the schema and can never replace a value. */
function dataOf(object: StoredObject, values: Values): JsonObject {
  return Object.fromEntries(object.sealedKeys.toSorted(byCodeUnit).map((key) => [key, values === 'masked' ? null : (values[key] ?? null)]));
}

function without(map: Readonly<Record<string, string>>, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Metadata alone (kube-api.md 3.5). */
export function metadataOnly(wire: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: wire.metadata ?? {} };
}

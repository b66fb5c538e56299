import { isObject, type Json, type JsonObject, parseJson, stringifyJson } from '#core/json.ts';
import type { OwnerReference, StoredObject } from '#core/store.ts';
import {
  jsonOf,
  numberOf,
  numberOrNull,
  objectList,
  objectOf,
  objectOrNull,
  type Row,
  textList,
  textListOf,
  textMap,
  textMapOf,
  textOf,
} from './rows.ts';

/** Columns of an object in the order of no importance; never the sealed bytes. */
export const objectColumns = `tenant_id, uid, kind, namespace, name, generation, resource_version, created_at, deleting_at, labels, annotations,
  finalizers, owner_references, managed_fields, body, status, sealed_keys, created_by`;

/** An object from its row. A value of another shape is a bug that names the column. */
export function objectOfRow(row: Row): StoredObject {
  return {
    tenantId: textOf(row, 'tenant_id'),
    kind: textOf(row, 'kind'),
    uid: textOf(row, 'uid'),
    namespace: textOf(row, 'namespace'),
    name: textOf(row, 'name'),
    generation: numberOf(row, 'generation'),
    resourceVersion: textOf(row, 'resource_version'),
    createdAtMs: numberOf(row, 'created_at'),
    deletingAtMs: numberOrNull(row, 'deleting_at'),
    labels: textMapOf(row, 'labels'),
    annotations: textMapOf(row, 'annotations'),
    finalizers: textListOf(row, 'finalizers'),
    ownerReferences: ownersOf(jsonOf(row, 'owner_references')),
    managedFields: objectList(jsonOf(row, 'managed_fields'), 'managed_fields'),
    body: objectOf(row, 'body'),
    status: objectOrNull(row, 'status'),
    sealedKeys: textListOf(row, 'sealed_keys'),
    createdBy: textOf(row, 'created_by'),
  };
}

function ownersOf(value: Json): readonly OwnerReference[] {
  return objectList(value, 'owner_references').map((one) => ({
    apiVersion: wordOf(one, 'apiVersion'),
    kind: wordOf(one, 'kind'),
    name: wordOf(one, 'name'),
    uid: wordOf(one, 'uid'),
    ...(typeof one['controller'] === 'boolean' ? { controller: one['controller'] } : {}),
    ...(typeof one['blockOwnerDeletion'] === 'boolean' ? { blockOwnerDeletion: one['blockOwnerDeletion'] } : {}),
  }));
}

function wordOf(value: JsonObject, key: string): string {
  const word = value[key];
  if (typeof word !== 'string') throw new Error(`database: ${key} of an owner reference is no text`);
  return word;
}

/** All of an object as one JSON text, for the change log. */
export function snapshotText(object: StoredObject): string {
  return stringifyJson(asJson(object));
}

/** All of an object but its version number as JSON: equal texts mean that nothing changed. */
export function contentOf(object: StoredObject): JsonObject {
  const { resourceVersion: _version, ...content } = asJson(object);
  return content;
}

function asJson(object: StoredObject): Readonly<Record<keyof StoredObject, Json>> {
  return { ...object, ownerReferences: object.ownerReferences.map((one) => ({ ...one })) };
}

/** The object of a change log entry; `resourceVersion` is the entry's own number, or absent for the state before it, which knows its own. */
export function objectOfSnapshot(text: string, resourceVersion?: string): StoredObject {
  const value = parseJson(text);
  if (!isObject(value)) throw new Error('database: a change log entry holds no object');
  const part = (key: keyof StoredObject): Json => {
    const found = value[key];
    if (found === undefined) throw new Error(`database: a change log entry lacks ${key}`);
    return found;
  };
  const map = (key: 'labels' | 'annotations') => textMap(part(key), key);
  const status = part('status');
  const body = part('body');
  if (!isObject(body) || (status !== null && !isObject(status))) throw new Error('database: a change log entry holds no body');
  return {
    tenantId: textOf(value, 'tenantId'),
    kind: textOf(value, 'kind'),
    uid: textOf(value, 'uid'),
    namespace: textOf(value, 'namespace'),
    name: textOf(value, 'name'),
    generation: numberOf(value, 'generation'),
    resourceVersion: resourceVersion ?? textOf(value, 'resourceVersion'),
    createdAtMs: numberOf(value, 'createdAtMs'),
    deletingAtMs: numberOrNull(value, 'deletingAtMs'),
    labels: map('labels'),
    annotations: map('annotations'),
    finalizers: textList(part('finalizers'), 'finalizers'),
    ownerReferences: ownersOf(part('ownerReferences')),
    managedFields: objectList(part('managedFields'), 'managedFields'),
    body,
    status,
    sealedKeys: textList(part('sealedKeys'), 'sealedKeys'),
    createdBy: textOf(value, 'createdBy'),
  };
}

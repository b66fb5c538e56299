import type { Cause } from '#core/errors.ts';
import { isObject, type Json, type JsonObject } from '#core/json.ts';
import { invalidValue, labelFault, labelValueFault, qualifiedNameFault, subdomainFault } from '#core/names.ts';
import type { Resource } from '#core/resource.ts';
import type { OwnerReference } from '#core/store.ts';

/** What a client may say in `metadata`. `resourceVersion` and `uid` are preconditions, null when absent. */
export type Metadata = Readonly<{
  name: string;
  generateName: string;
  namespace: string;
  uid: string | null;
  resourceVersion: string | null;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  finalizers: readonly string[];
  ownerReferences: readonly OwnerReference[];
}>;

export type MetadataReading = Readonly<{
  metadata: Metadata;
  causes: readonly Cause[];
  unknown: readonly string[] /** Type errors make the whole body unreadable. */;
  fault: string | null;
}>;

const known: readonly string[] = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'selfLink',
];
const maxAnnotationBytes = 262_144;
const maxListLength = 256;

/** Reads `metadata`; what the server sets itself is ignored. Pure. */
export function readMetadata(resource: Resource, value: Json | undefined): MetadataReading {
  const source = isObject(value) ? value : {};
  const faults: string[] = [];
  if (value !== undefined && value !== null && !isObject(value)) faults.push('metadata must be an object');
  const text = (name: string): string => textOf(source, name, faults);
  const metadata: Metadata = {
    name: text('name'),
    generateName: text('generateName'),
    namespace: text('namespace'),
    uid: text('uid') || null,
    resourceVersion: text('resourceVersion') || null,
    labels: textMap(source, 'labels', faults),
    annotations: textMap(source, 'annotations', faults),
    finalizers: textList(source, 'finalizers', faults),
    ownerReferences: owners(source, faults),
  };
  const unknown = Object.keys(source)
    .filter((name) => !known.includes(name))
    .map((name) => `metadata.${name}`);
  return { metadata, causes: checkMetadata(resource, metadata), unknown, fault: faults[0] ?? null };
}

function textOf(source: JsonObject, name: string, faults: string[]): string {
  const value = source[name];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  faults.push(`metadata.${name} must be a string`);
  return '';
}

function textMap(source: JsonObject, name: string, faults: string[]): Readonly<Record<string, string>> {
  const value = source[name];
  if (value === undefined || value === null) return {};
  const entries = isObject(value) ? Object.entries(value) : [];
  const texts: Record<string, string> = {};
  for (const [key, inner] of entries) {
    if (typeof inner === 'string') texts[key] = inner;
    else if (inner === null) texts[key] = '';
    else faults.push(`metadata.${name}[${key}] must be a string`);
  }
  if (!isObject(value)) faults.push(`metadata.${name} must be an object`);
  return texts;
}

function textList(source: JsonObject, name: string, faults: string[]): readonly string[] {
  const value = source[name];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((one: Json) => typeof one === 'string')) return value;
  faults.push(`metadata.${name} must be a list of strings`);
  return [];
}

function owners(source: JsonObject, faults: string[]): readonly OwnerReference[] {
  const value = source.ownerReferences;
  if (value === undefined || value === null) return [];
  const list: readonly Json[] = Array.isArray(value) ? value : [];
  if (!Array.isArray(value)) faults.push('metadata.ownerReferences must be a list');
  const read: OwnerReference[] = [];
  for (const [index, one] of list.entries()) {
    const owner = isObject(one) ? ownerOf(one) : null;
    if (owner === null) faults.push(`metadata.ownerReferences[${index}] must hold apiVersion, kind, name and uid`);
    else read.push(owner);
  }
  return read;
}

function ownerOf(one: JsonObject): OwnerReference | null {
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = one;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string' || typeof uid !== 'string') return null;
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(typeof controller === 'boolean' ? { controller } : {}),
    ...(typeof blockOwnerDeletion === 'boolean' ? { blockOwnerDeletion } : {}),
  };
}

function checkMetadata(resource: Resource, metadata: Metadata): readonly Cause[] {
  return [...checkName(resource, metadata), ...checkLabels(metadata), ...checkAnnotations(metadata), ...checkLists(metadata)];
}

function checkName(resource: Resource, { name, generateName }: Metadata): readonly Cause[] {
  const fault = resource.kind === 'Namespace' ? labelFault : subdomainFault;
  if (name === '') {
    if (generateName === '')
      return [{ reason: 'FieldValueRequired', field: 'metadata.name', message: 'Required value: name or generateName is required' }];
    const wrong = fault(`${generateName.slice(0, 58)}x`);
    return wrong === null ? [] : [invalidValue('metadata.generateName', generateName, wrong)];
  }
  const wrong = fault(name);
  return wrong === null ? [] : [invalidValue('metadata.name', name, wrong)];
}

function checkLabels({ labels }: Metadata): readonly Cause[] {
  const causes: Cause[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const badKey = qualifiedNameFault(key);
    if (badKey !== null) causes.push(invalidValue('metadata.labels', key, badKey));
    const badValue = labelValueFault(value);
    if (badValue !== null) causes.push(invalidValue('metadata.labels', value, badValue));
  }
  return causes;
}

function checkAnnotations({ annotations }: Metadata): readonly Cause[] {
  const causes: Cause[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    const badKey = qualifiedNameFault(key.toLowerCase());
    if (badKey !== null) causes.push(invalidValue('metadata.annotations', key, badKey));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > maxAnnotationBytes) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${maxAnnotationBytes} bytes`,
    });
  }
  return causes;
}

function checkLists({ finalizers, ownerReferences }: Metadata): readonly Cause[] {
  const causes: Cause[] = [];
  for (const name of finalizers) {
    const wrong = qualifiedNameFault(name);
    if (wrong !== null) causes.push(invalidValue('metadata.finalizers', name, wrong));
  }
  for (const [field, list] of [
    ['metadata.finalizers', finalizers],
    ['metadata.ownerReferences', ownerReferences],
  ] as const) {
    if (list.length > maxListLength)
      causes.push({ reason: 'FieldValueInvalid', field, message: `Too many: must have at most ${maxListLength} items` });
  }
  return causes;
}

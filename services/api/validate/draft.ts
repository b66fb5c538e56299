import { AppError, type Cause } from '#core/errors.ts';
import { isObject, type Json, type JsonObject } from '#core/json.ts';
import { apiVersionOf, type Resource } from '#core/resource.ts';
import { causesOf, withoutLogin } from '#services/api/validate/causes.ts';
import type { Schemas } from '#services/api/validate/compile.ts';
import { applyDefaults } from '#services/api/validate/defaults.ts';
import { type Metadata, readMetadata } from '#services/api/validate/metadata.ts';
import { pruneUnknown } from '#services/api/validate/prune.ts';
import type { Decoded } from '#services/api/wire/decode.ts';
import { invalid } from '#services/api/wire/status.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** An object as a client wants it, checked and with defaults. `body` is every top-level field but apiVersion, kind, metadata and status. */
export type Draft = Readonly<{ metadata: Metadata; body: JsonObject /** Ready for `Warning` headers. */; warnings: readonly string[] }>;

const serverFields: readonly string[] = ['apiVersion', 'kind', 'metadata', 'status'];

/**
 * Reads a client's object: type, unknown fields, defaults, schema, rules of the kind, in that order (kube-api.md 5.4).
 * Throws AppError badRequest (type, strict decoding), or invalid with all causes at once. Pure.
 */
export function readDraft(schemas: Schemas, resource: Resource, decoded: Decoded, validation: FieldValidation): Draft {
  const { value } = decoded;
  checkType(resource, value);
  const { metadata, causes, unknown, fault } = readMetadata(resource, value.metadata);
  if (fault !== null)
    throw new AppError('badRequest', `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: ${fault}`);
  const schema = schemas.of(resource);
  const pruned = pruneUnknown(schema.view, dropUnset(bodyOf(value)));
  const complaints = [
    ...decoded.duplicates.map(duplicateText),
    ...[...unknown, ...pruned.unknown].map((path) => `unknown field "${path}"`),
  ];
  if (validation === 'Strict' && complaints.length > 0) throw strictFault(resource, complaints);
  const body = applyDefaults(schema.view, pruned.value);
  const broken: Cause[] = [...causes, ...causesOf(schema.errorsOf(body), body, resource)];
  // Rules of the kind look at a body that fits its schema.
  if (broken.length === 0) broken.push(...ruleCauses(resource, value, body, metadata));
  if (broken.length > 0) throw invalid(resource, metadata.name, broken);
  return { metadata, body, warnings: validation === 'Ignore' ? [] : complaints };
}

function checkType(resource: Resource, { apiVersion, kind }: JsonObject): void {
  const wanted = apiVersionOf(resource);
  const isCore = resource.group === '';
  if (isCore && apiVersion === undefined && kind === undefined) return;
  if (apiVersion === undefined || kind === undefined || apiVersion === '' || kind === '') {
    throw new AppError('badRequest', `Object 'Kind' and 'apiVersion' must be set: this path takes ${resource.kind} in ${wanted}`);
  }
  if (kind !== resource.kind)
    throw new AppError('badRequest', `the kind in the data (${shorten(kind)}) does not match the expected kind (${resource.kind})`);
  if (apiVersion !== wanted)
    throw new AppError(
      'badRequest',
      `the API version in the data (${shorten(apiVersion)}) does not match the expected API version (${wanted})`,
    );
}

function shorten(value: Json): string {
  return (typeof value === 'string' ? value : typeof value).slice(0, 128);
}

function bodyOf(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !serverFields.includes(name)));
}

/** Go clients write `null` for an unset top-level field; it means the same as leaving it out. */
function dropUnset(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

function duplicateText(path: string): string {
  return path.startsWith('line ') ? path : `duplicate field "${path}"`;
}

function strictFault(resource: Resource, complaints: readonly string[]): AppError {
  const what = `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`;
  return new AppError('badRequest', `${what}: strict decoding error: ${complaints.join(', ')}`);
}

function ruleCauses(resource: Resource, value: JsonObject, body: JsonObject, metadata: Metadata): readonly Cause[] {
  if (resource.validate === undefined) return [];
  const object: JsonObject = { ...body, metadata: { name: metadata.name, namespace: metadata.namespace }, status: value.status ?? null };
  return resource
    .validate(object)
    .map(({ field, message }) => ({ reason: 'FieldValueInvalid', field, message: ruleText(body, field, message) }));
}

function ruleText(body: JsonObject, field: string, message: string): string {
  if (/^(Duplicate value|Too long|Too many|Required value)/.test(message)) return message;
  let current: Json | undefined = body;
  for (const part of field.split('.')) current = isObject(current) ? current[part] : undefined;
  const shown =
    typeof current === 'string' && current.length <= 256
      ? withoutLogin(JSON.stringify(current))
      : Array.isArray(current)
        ? '"array"'
        : '"object"';
  return `Invalid value: ${shown}: ${message}`;
}

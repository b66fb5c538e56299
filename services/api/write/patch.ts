import jsonPatch from 'fast-json-patch';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, type JsonObject } from '#core/json.ts';
import { qualifiedName, type Resource } from '#core/resource.ts';
import type { Body } from '#services/api/wire/call.ts';
import { type Decoded, decodeJson, decodeObject } from '#services/api/wire/decode.ts';
import { invalid } from '#services/api/wire/status.ts';
import { strategicMerge } from '#services/api/write/strategic-merge.ts';

const maxOperations = 10_000;
const maxDepth = 200;

/** A patch, decoded once; `apply` is pure and may run again after a conflict. */
export type Patch = Readonly<{
  apply(current: JsonObject): Decoded /** The version that a merge patch names as its precondition. */;
  version: string | null;
}>;

/** Reads a patch body. Throws AppError unsupportedMediaType for the types that this kind does not take, saying what to do instead. */
export function readPatch(resource: Resource, name: string, body: Body): Patch {
  switch (body.format) {
    case 'merge-patch':
      return mergePatch(body);
    case 'json-patch':
      return operationsPatch(resource, name, body);
    case 'strategic-patch':
      if (resource.group === '') return strategicPatch(resource, body);
      throw notTaken(
        resource,
        'application/strategic-merge-patch+json',
        'send a JSON merge patch instead: with kubectl patch add --type=merge',
      );
    case 'apply-patch':
      throw notTaken(
        resource,
        'application/apply-patch+yaml',
        'server-side apply is not served yet: use kubectl apply without --server-side',
      );
    default:
      throw new Error('a patch route let a body of another kind pass');
  }
}

/** Patch types of a kind, as the OpenAPI document lists them: kubectl chooses by that list. */
export function patchTypesOf(resource: Pick<Resource, 'group'>): readonly string[] {
  const all = ['application/json-patch+json', 'application/merge-patch+json'];
  return resource.group === '' ? [...all, 'application/strategic-merge-patch+json'] : all;
}

function notTaken(resource: Resource, type: string, hint: string): AppError {
  const accepted = patchTypesOf(resource).join(', ');
  return new AppError(
    'unsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted}; ${type} is not accepted for ${qualifiedName(resource)}; ${hint}`,
  );
}

function strategicPatch(resource: Resource, body: Body): Patch {
  const { value, duplicates } = decodeObject(body);
  return { version: versionIn(value), apply: (current) => ({ value: strategicMerge(resource, current, value), duplicates }) };
}

function versionIn({ metadata }: JsonObject): string | null {
  const version = isObject(metadata) ? metadata.resourceVersion : undefined;
  return typeof version === 'string' && version !== '' ? version : null;
}

function mergePatch(body: Body): Patch {
  const { value, duplicates } = decodeObject(body);
  return {
    version: versionIn(value),
    apply(current) {
      const merged = merge(current, value, 0);
      return { value: isObject(merged) ? merged : {}, duplicates };
    },
  };
}

/** RFC 7386. Keys come from parsed JSON without `__proto__` (core/json.ts), and the result is built from entries. */
export function merge(target: Json, patch: Json, depth: number): Json {
  if (depth > maxDepth) throw new AppError('badRequest', `the patch is nested deeper than ${maxDepth} levels`);
  if (!isObject(patch)) return patch;
  const merged = new Map<string, Json>(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key) ?? null, value, depth + 1));
  }
  return Object.fromEntries(merged);
}

type Operation = Readonly<{ op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'; path: string; from?: string; value?: Json }>;
const operationNames: readonly string[] = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

function operationsPatch(resource: Resource, name: string, body: Body): Patch {
  const list = decodeJson(body);
  if (!Array.isArray(list)) throw new AppError('badRequest', 'a JSON patch is a list of operations');
  if (list.length > maxOperations)
    throw new AppError(
      'tooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${list.length}`,
    );
  const operations = list.map((one: Json, index) => operationOf(one, index));
  return { version: null, apply: (current) => ({ value: applyAll(resource, name, current, operations), duplicates: [] }) };
}

function operationOf(one: Json, index: number): Operation {
  const fault = (why: string): AppError => new AppError('badRequest', `operation ${index} of the JSON patch ${why}`);
  if (!isObject(one)) throw fault('is no object');
  const { op, path, from, value } = one;
  if (!isOperationName(op)) throw fault('has an unknown op');
  if (typeof path !== 'string') throw fault('has no path');
  if ((op === 'move' || op === 'copy') && typeof from !== 'string') throw fault('has no from');
  if ((op === 'add' || op === 'replace' || op === 'test') && value === undefined) throw fault('has no value');
  return { op, path, ...(typeof from === 'string' ? { from } : {}), ...(value === undefined ? {} : { value }) };
}

function isOperationName(op: Json | undefined): op is Operation['op'] {
  return typeof op === 'string' && operationNames.includes(op);
}

/** One by one, so that the answer can name the operation that failed; values are never quoted. */
function applyAll(resource: Resource, name: string, current: JsonObject, operations: readonly Operation[]): JsonObject {
  let document: unknown = structuredClone(current);
  for (const [index, operation] of operations.entries()) {
    document = applyOne(document, operation, () =>
      invalid(resource, name, [
        {
          reason: 'FieldValueInvalid',
          field: 'patch',
          message: `Invalid value: operation ${index} (${operation.op} ${operation.path.slice(0, 256)}) cannot be done on this object`,
        },
      ]),
    );
  }
  if (!isJsonObject(document)) throw new AppError('badRequest', 'the JSON patch leaves no object');
  return document;
}

function applyOne(document: unknown, operation: Operation, fault: () => AppError): unknown {
  try {
    // Validate; change our own copy (the library's copies lose big integers); refuse prototype keys (threats D6).
    return jsonPatch.applyOperation(document, toLibrary(operation), true, true, true).newDocument;
  } catch (error) {
    if (error instanceof Error) throw fault();
    throw error;
  }
}

function toLibrary({ op, path, from = '', value }: Operation): jsonPatch.Operation {
  switch (op) {
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      return { op, path, from };
    default:
      return { op, path, value };
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value);
}

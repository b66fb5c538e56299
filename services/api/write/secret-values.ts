import { randomBytes } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, type JsonObject, stringifyJson } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import { invalid } from '#services/api/wire/status.ts';

/** Values of a Secret by key in base64. */
export type SecretData = Readonly<Record<string, string>>;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const maxTotalBytes = 1_048_576;

/**
 * Stands for values that the writer may not read: random per request, so that it cannot be guessed, and no base64, so that it cannot be a value.
 * It may come back only where it was given out; anywhere else a patch has tried to copy a value to where it can be read (threats E2).
 */
export type Placeholder = Readonly<{ of(key: string): string; isOf(key: string, text: string): boolean; isIn(value: Json): boolean }>;

export function newPlaceholder(): Placeholder {
  const mark = `kept:${randomBytes(24).toString('hex')}:`;
  return {
    of: (key) => `${mark}${key}`,
    isOf: (key, text) => text === `${mark}${key}`,
    isIn: (value) => stringifyJson(value).includes(mark),
  };
}

type Split = Readonly<{
  /** Without values. */ body: JsonObject;
  data: SecretData /** A value was given that is not a placeholder. */;
  given: boolean;
}>;

/** Takes the values out of a Secret's body: `stringData` is written over `data`, placeholders become the values they stand for. */
export function splitSecret(
  resource: Resource,
  name: string,
  body: JsonObject,
  kept: Readonly<{ placeholder: Placeholder; data: SecretData }> | null,
): Split {
  const { data, stringData, ...rest } = body;
  const values: Record<string, string> = {};
  let given = false;
  for (const [key, value] of entriesOf(data)) {
    const isKept = kept !== null && kept.placeholder.isOf(key, value);
    values[key] = isKept ? (kept.data[key] ?? '') : checkBase64(value);
    given ||= !isKept;
  }
  for (const [key, value] of entriesOf(stringData)) {
    values[key] = Buffer.from(value, 'utf8').toString('base64');
    given = true;
  }
  if (kept?.placeholder.isIn([rest, stringData ?? null, values]) === true) throw copied(resource, name);
  checkSize(resource, name, values);
  return { body: rest, data: values, given };
}

function entriesOf(map: Json | undefined): readonly (readonly [string, string])[] {
  if (!isObject(map)) return [];
  return Object.entries(map).map(([key, value]) => [key, typeof value === 'string' ? value : ''] as const);
}

function checkBase64(text: string): string {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (BASE64.test(compact)) return compact;
  throw new AppError('badRequest', 'Secret in version "v1" cannot be handled as a Secret: illegal base64 data in data');
}

function checkSize(resource: Resource, name: string, values: SecretData): void {
  const bytes = Object.values(values).reduce((sum, value) => sum + (value.length / 4) * 3, 0);
  if (bytes <= maxTotalBytes) return;
  throw invalid(resource, name, [
    { reason: 'FieldValueInvalid', field: 'data', message: `Too long: may not be more than ${maxTotalBytes} bytes` },
  ]);
}

/** Refuses a draft that holds a placeholder outside `data`. */
export function refuseCopies(resource: Resource, name: string, placeholder: Placeholder, elsewhere: Json): void {
  if (placeholder.isIn(elsewhere)) throw copied(resource, name);
}

function copied(resource: Resource, name: string): AppError {
  return invalid(resource, name, [
    { reason: 'FieldValueForbidden', field: 'data', message: 'Forbidden: a value that you may not read cannot be copied or moved' },
  ]);
}

export function bytesOf(data: SecretData): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

export function isSameData(a: SecretData, b: SecretData): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

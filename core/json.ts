/** JSON as plain data. Integers beyond 2^53 survive as bigint: plain JSON.parse would round them silently (libraries.md section 3). */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

const FORBIDDEN_KEYS: ReadonlySet<string> = Object.freeze(new Set(['__proto__']));
const INTEGER = /^-?[0-9]+$/;

/**
 * Parses JSON text without losing integers: an integer beyond the safe range becomes a bigint.
 * Throws SyntaxError on bad text. A `__proto__` key is dropped, so that no prototype can be reached (threats D6).
 */
export function parseJson(text: string): Json {
  const revive = (key: string, value: unknown, context: { source?: string }): unknown => {
    if (FORBIDDEN_KEYS.has(key)) return undefined;
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context.source ?? '';
    return INTEGER.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** JSON text of a value; bigints are written as integers. Key order is kept. */
export function stringifyJson(value: Json, indent?: number): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? rawInteger(inner) : inner), indent);
}

function rawInteger(value: bigint): unknown {
  const json = JSON as unknown as { rawJSON(text: string): unknown };
  return json.rawJSON(value.toString());
}

/** Canonical text for digests and the audit chain: keys sorted by code unit, no blanks (the shape of RFC 8785). */
export function canonicalJson(value: Json): string {
  return stringifyJson(sortKeys(value));
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const sorted: Record<string, Json> = {};
  for (const key of Object.keys(value).sort()) {
    const inner = value[key];
    if (inner !== undefined) sorted[key] = sortKeys(inner);
  }
  return sorted;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text at a path of keys, or undefined when it is not there or no text. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The value at a path of keys, or undefined. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let current: Json | undefined = value;
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

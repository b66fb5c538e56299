import { isObject, type Json, type JsonObject } from '#core/json.ts';

/** A value while an expression is evaluated. `bigint` is CEL's int, `number` its double. Instants and durations are nanoseconds. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Readonly<{ is: 'uint'; value: bigint }>
  | CelList
  | CelMap
  | Readonly<{ is: 'timestamp'; ns: bigint }>
  | Readonly<{ is: 'duration'; ns: bigint }>
  | Readonly<{ is: 'optional'; value: Value | undefined }>
  | Readonly<{ is: 'type'; name: string }>;

export type CelList = Readonly<{ is: 'list'; items: readonly Value[] }>;
/** Keys by `keyOf`, so that 1, 1u and 1.0 are one key. */
export type CelMap = Readonly<{ is: 'map'; entries: ReadonlyMap<string, Readonly<{ key: Value; value: Value }>> }>;

/** An error of the expression itself, such as a key that is not there. `||` and `&&` may swallow it, as in Go. */
export class CelError extends Error {
  override readonly name = 'CelError';
}

/** The limit of steps is reached. Nothing swallows it. */
export class CelTooCostly extends Error {
  override readonly name = 'CelTooCostly';
}

/** What is left to spend in one evaluation; one unit is about one step of the tree or ten bytes of a text. */
export type Purse = Readonly<{ spend(units: number): void }>;

export function purseOf(units: number): Purse {
  let left = units;
  return {
    spend: (spent) => {
      left -= spent;
      if (left < 0) throw new CelTooCostly(`it takes more than ${units} steps`);
    },
  };
}

export const none: Value = Object.freeze({ is: 'optional', value: undefined });

export function listOf(items: readonly Value[]): CelList {
  return { is: 'list', items };
}

export function noOverload(name: string, ...args: readonly Value[]): CelError {
  return new CelError(`no such overload: ${name}(${args.map(typeOf).join(', ')})`);
}

/** Name of a value's type, as `type()` shows it. */
export function typeOf(value: Value): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      return taggedType(value);
  }
}

function taggedType(value: Exclude<Value, null | boolean | bigint | number | string>): string {
  if (value instanceof Uint8Array) return 'bytes';
  switch (value.is) {
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'optional':
      return 'optional_type';
    case 'uint':
    case 'list':
    case 'map':
    case 'type':
      return value.is;
  }
}

/** The key under which a map keeps a value, or null for what can be no key. */
export function keyOf(value: Value): string | null {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'boolean') return `b${value}`;
  if (typeof value === 'bigint') return `n${value}`;
  if (typeof value === 'number') return Number.isInteger(value) ? `n${BigInt(value)}` : `d${value}`;
  if (value !== null && !(value instanceof Uint8Array) && value.is === 'uint') return `n${value.value}`;
  return null;
}

/** Whole JSON as values; every part costs one unit. */
export function fromJson(json: Json, purse: Purse): Value {
  purse.spend(1);
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return { is: 'list', items: json.map((one: Json) => fromJson(one, purse)) };
  if (isObject(json)) return mapOfJson(json, purse);
  return json as null | boolean | bigint | string;
}

function mapOfJson(json: JsonObject, purse: Purse): CelMap {
  const entries = new Map<string, Readonly<{ key: Value; value: Value }>>();
  for (const [key, value] of Object.entries(json)) entries.set(`s${key}`, { key, value: fromJson(value, purse) });
  return { is: 'map', entries };
}

import { isObject, type Json, type JsonObject, parseJson } from '#core/json.ts';

/** A row as the driver hands it out: bigint as decimal text, timestamptz as epoch ms, json as its text (so that big integers survive). */
export type Row = Readonly<Record<string, unknown>>;

/** A value that is not what the schema promises is a bug that names the column, never a cast. */
function wrong(column: string, expected: string): never {
  throw new Error(`database: column ${column} is no ${expected}`);
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : wrong(column, 'text');
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}

/** An int4, float8, epoch ms, or a bigint that is known to stay below 2^53. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : wrong(column, 'number');
}

export function numberOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : numberOf(row, column);
}

export function booleanOf(row: Row, column: string): boolean {
  const value = row[column];
  return typeof value === 'boolean' ? value : wrong(column, 'boolean');
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : wrong(column, 'bytea');
}

export function bytesOrNull(row: Row, column: string): Uint8Array | null {
  return row[column] === null ? null : bytesOf(row, column);
}

export function jsonOf(row: Row, column: string): Json {
  return parseJson(textOf(row, column));
}

export function objectOf(row: Row, column: string): JsonObject {
  const value = jsonOf(row, column);
  return isObject(value) ? value : wrong(column, 'json object');
}

export function objectOrNull(row: Row, column: string): JsonObject | null {
  return row[column] === null ? null : objectOf(row, column);
}

export function textMapOf(row: Row, column: string): Readonly<Record<string, string>> {
  return textMap(jsonOf(row, column), column);
}

export function textListOf(row: Row, column: string): readonly string[] {
  return textList(jsonOf(row, column), column);
}

export function textMap(value: Json, column: string): Readonly<Record<string, string>> {
  if (!isObject(value)) return wrong(column, 'map of texts');
  const map: Record<string, string> = {};
  for (const [key, one] of Object.entries(value)) map[key] = typeof one === 'string' ? one : wrong(column, 'map of texts');
  return map;
}

export function textList(value: Json, column: string): readonly string[] {
  if (!Array.isArray(value)) return wrong(column, 'list of texts');
  return value.map((one: Json) => (typeof one === 'string' ? one : wrong(column, 'list of texts')));
}

export function objectList(value: Json, column: string): readonly JsonObject[] {
  if (!Array.isArray(value)) return wrong(column, 'list of objects');
  return value.map((one: Json) => (isObject(one) ? one : wrong(column, 'list of objects')));
}

/** The only row of an answer that always has one. */
export function onlyRow(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined || rows.length !== 1) throw new Error(`database: one row expected, ${rows.length} came`);
  return row;
}

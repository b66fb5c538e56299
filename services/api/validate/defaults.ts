import { isObject, type Json, type JsonObject } from '#core/json.ts';
import type { SchemaView } from '#services/api/validate/schema-view.ts';

/**
 * Fills in the schema's defaults, from the outside in, as structural schemas do: a default that is an object gets defaults of its own.
 * A null for a field that has a default and may not be null counts as absent. Pure.
 */
export function applyDefaults(schema: SchemaView, value: JsonObject): JsonObject {
  const filled = fill(schema, value, 0);
  return isObject(filled) ? filled : value;
}

const maxDepth = 100;

function fill(schema: SchemaView, value: Json, depth: number): Json {
  if (depth > maxDepth) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === null ? value : value.map((item: Json) => fill(items, item, depth + 1));
  }
  if (!isObject(value)) return value;
  const filled: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(value)) {
    const known = schema.properties?.get(name) ?? schema.values ?? null;
    if (inner === null && known !== null && known.defaultValue !== undefined && !known.isNullable) continue;
    filled[name] = known === null ? inner : fill(known, inner, depth + 1);
  }
  for (const [name, known] of schema.properties ?? []) {
    if (!Object.hasOwn(filled, name) && known.defaultValue !== undefined) filled[name] = fill(known, known.defaultValue, depth + 1);
  }
  return filled;
}

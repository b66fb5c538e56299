import { isObject, type Json, type JsonObject } from '#core/json.ts';
import type { SchemaView } from '#services/api/validate/schema-view.ts';

export type Pruned = Readonly<{
  value: JsonObject /** Paths of what was dropped, such as `spec.foo` or `spec.patches[0].bar`. */;
  unknown: readonly string[];
}>;

const maxDepth = 100;

/** Drops every field that the schema does not know, and says which. Pure; free maps and open parts stay as they are. */
export function pruneUnknown(schema: SchemaView, value: JsonObject): Pruned {
  const unknown: string[] = [];
  const kept = prune(schema, value, '', unknown, 0);
  return { value: isObject(kept) ? kept : {}, unknown };
}

function prune(schema: SchemaView, value: Json, path: string, unknown: string[], depth: number): Json {
  if (depth > maxDepth) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === null ? value : value.map((item: Json, index) => prune(items, item, `${path}[${index}]`, unknown, depth + 1));
  }
  if (!isObject(value)) return value;
  if (schema.properties === null && schema.values === null) return value;
  const kept: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    const known = schema.properties?.get(name) ?? schema.values;
    if (known !== null && known !== undefined) kept[name] = prune(known, inner, at, unknown, depth + 1);
    else if (schema.isOpen) kept[name] = inner;
    else unknown.push(at);
  }
  return kept;
}

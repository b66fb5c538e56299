import { isObject, type Json, type JsonObject } from '#core/json.ts';

/**
 * A JSON Schema as OpenAPI 3.0 writes it: free maps by `additionalProperties`, texts of an enum with their type, nothing that is only ajv's.
 * Pure.
 */
export function toOpenApi(schema: unknown): JsonObject {
  if (!isObject(schema)) return {};
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name.startsWith('~') || name === 'patternProperties' || name === 'additionalProperties') continue;
    out[name] = convert(name, value);
  }
  const values = valuesOf(schema);
  if (values !== undefined) out.additionalProperties = values;
  if (Array.isArray(out.enum) && out.type === undefined) out.type = typeof out.enum[0] === 'number' ? 'integer' : 'string';
  if (Object.keys(out).length === 0 || onlyDescribes(out)) return { ...out, type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return out;
}

function convert(name: string, value: Json): Json {
  if (name === 'properties' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toOpenApi(inner)]));
  }
  if (name === 'items') return toOpenApi(value);
  if ((name === 'anyOf' || name === 'oneOf' || name === 'allOf') && Array.isArray(value))
    return value.map((inner: Json) => toOpenApi(inner));
  return value;
}

function valuesOf(schema: JsonObject): Json | undefined {
  if (isObject(schema.additionalProperties)) return toOpenApi(schema.additionalProperties);
  if (!isObject(schema.patternProperties)) return undefined;
  const [first] = Object.values(schema.patternProperties);
  return toOpenApi(first);
}

function onlyDescribes(out: JsonObject): boolean {
  return (
    Object.keys(out).every((key) => key === 'description' || key.startsWith('x-kubernetes-')) && out['x-kubernetes-int-or-string'] !== true
  );
}

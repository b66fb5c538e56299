import type { TSchema } from 'typebox';
import { isObject, type Json } from '#core/json.ts';

/** What the steps of validation need of a JSON Schema; anything else in it is ajv's affair. */
export type SchemaView = Readonly<{
  properties: ReadonlyMap<string, SchemaView> | null;
  /** Schema of values under free keys, or null. */
  values: SchemaView | null;
  items: SchemaView | null;
  /** Any content is kept as it is. */
  isOpen: boolean;
  defaultValue: Json | undefined;
  isNullable: boolean;
}>;

const open: SchemaView = Object.freeze({
  properties: null,
  values: null,
  items: null,
  isOpen: true,
  defaultValue: undefined,
  isNullable: true,
});

/** Reads a schema once; TypeBox schemas are plain JSON Schema. */
export function viewSchema(schema: TSchema): SchemaView {
  return view(schema);
}

function view(schema: unknown): SchemaView {
  if (!isObject(schema)) return open;
  const properties = isObject(schema.properties)
    ? new Map(Object.entries(schema.properties).map(([name, inner]) => [name, view(inner)] as const))
    : null;
  const values = valuesOf(schema);
  const items = isObject(schema.items) ? view(schema.items) : null;
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isFree = properties === null && values === null && items === null && (schema.type === undefined || schema.type === 'object');
  return {
    properties,
    values,
    items,
    isOpen: preserves || isFree,
    defaultValue: schema.default,
    isNullable: schema.nullable === true || schema.type === 'null' || isFree,
  };
}

function valuesOf(schema: Readonly<Record<string, Json>>): SchemaView | null {
  if (isObject(schema.additionalProperties)) return view(schema.additionalProperties);
  if (!isObject(schema.patternProperties)) return null;
  const [first] = Object.values(schema.patternProperties);
  return view(first);
}

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { RE2JS } from 're2js';
import type { TSchema } from 'typebox';
import type { JsonObject } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import { type SchemaView, viewSchema } from '#services/api/validate/schema-view.ts';

/** The compiled body schema of one resource. */
export type CompiledSchema = Readonly<{ view: SchemaView; errorsOf(value: JsonObject): readonly ErrorObject[] }>;

/** Compiles on first use: a wide schema costs up to 40 ms (libraries.md section 3). One per process. */
export type Schemas = Readonly<{ of(resource: Resource): CompiledSchema }>;

const kubernetesKeywords: readonly string[] = [
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
  'nullable',
];

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$/;

export function openSchemas(): Schemas {
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictTypes: false,
    coerceTypes: false,
    useDefaults: false,
    removeAdditional: false,
    ownProperties: true,
    code: { regExp: Object.assign(compilePattern, { code: 'compilePattern' }) },
    formats: { 'date-time': (text: string) => TIME.test(text) && !Number.isNaN(Date.parse(text)) },
  });
  for (const keyword of kubernetesKeywords) if (ajv.getKeyword(keyword) === false) ajv.addKeyword(keyword);
  const compiled = new Map<string, CompiledSchema>();
  return Object.freeze({
    of(resource: Resource): CompiledSchema {
      const known = compiled.get(resource.kind);
      if (known !== undefined) return known;
      const made = compile(ajv, resource.body);
      compiled.set(resource.kind, made);
      return made;
    },
  });
}

function compile(ajv: Ajv, schema: TSchema): CompiledSchema {
  const validate: ValidateFunction = ajv.compile(schema);
  return Object.freeze({
    view: viewSchema(schema),
    errorsOf: (value: JsonObject) => (validate(value) ? [] : [...(validate.errors ?? [])]),
  });
}

/**
 * Patterns run in RE2: with `allErrors` ajv runs a pattern even on a text that is far too long, and V8 can take seconds for it.
 * `toString` must differ per pattern: ajv uses it as the key of what it compiled, and without it the first pattern is used for all.
 */
function compilePattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.matcher(text).find(), toString: () => `RE2(${pattern})` };
}

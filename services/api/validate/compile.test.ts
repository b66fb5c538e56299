import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { accessOf, allVerbs, defineResource, type Resource } from '#core/resource.ts';
import { causesOf } from './causes.ts';
import { openSchemas } from './compile.ts';
import { applyDefaults } from './defaults.ts';
import { pruneUnknown } from './prune.ts';
import { viewSchema } from './schema-view.ts';

function resourceOf(body: Resource['body'], kind = 'Probe'): Resource {
  return defineResource({
    group: 'test.dev',
    version: 'v1',
    kind,
    plural: 'probes',
    singular: 'probe',
    shortNames: [],
    categories: [],
    scope: 'Namespaced',
    verbs: allVerbs,
    subresources: [],
    columns: [],
    body,
    status: null,
    initialStatus: null,
    access: accessOf({ read: 'viewer', write: 'editor' }),
    platform: 'read',
    finalizer: null,
    fieldSelectors: [],
    secretFields: ['secret'],
  });
}

describe('pitfalls of ajv (libraries.md section 3)', () => {
  it('each pattern is its own: the first one is not used for all', () => {
    const schema = openSchemas().of(resourceOf(Type.Object({ a: Type.String({ pattern: '^a$' }), b: Type.String({ pattern: '^b$' }) })));
    expect(schema.errorsOf({ a: 'a', b: 'a' }).map((error) => error.instancePath)).toEqual(['/b']);
    expect(schema.errorsOf({ a: 'a', b: 'b' })).toEqual([]);
  });

  it('a hostile pattern on a text that is too long costs nothing', () => {
    const schema = openSchemas().of(resourceOf(Type.Object({ a: Type.String({ pattern: '^(a+)+$', maxLength: 5 }) })));
    const startMs = Date.now();
    expect(
      schema
        .errorsOf({ a: `${'a'.repeat(50_000)}!` })
        .map((error) => error.keyword)
        .toSorted(),
    ).toEqual(['maxLength', 'pattern']);
    expect(Date.now() - startMs).toBeLessThan(1_000);
  });

  it('nothing is coerced, defaulted or dropped by the validator', () => {
    const schema = openSchemas().of(
      resourceOf(Type.Object({ n: Type.Optional(Type.Integer({ default: 5 })), s: Type.Optional(Type.String()) })),
    );
    const value = { n: '5', s: 1, more: true };
    expect(schema.errorsOf(value).map((error) => error.keyword)).toEqual(['type', 'type']);
    expect(value).toEqual({ n: '5', s: 1, more: true });
  });

  it('Kubernetes keywords are known, others are a mistake in the schema', () => {
    expect(() => openSchemas().of(resourceOf(Type.Array(Type.String(), { 'x-kubernetes-list-type': 'set' })))).not.toThrow();
    expect(() => openSchemas().of(resourceOf(Type.String({ 'x-kubernetes-lists-type': 'set' })))).toThrow(/x-kubernetes-lists-type/);
  });

  it('an enum gives one cause for the whole list, in the words of Kubernetes', () => {
    const body = Type.Object({ spec: Type.Object({ kind: Type.Enum(['A', 'B']) }) });
    const value = { spec: { kind: 'C' } };
    expect(causesOf(openSchemas().of(resourceOf(body)).errorsOf(value), value, { secretFields: [] })).toEqual([
      { reason: 'FieldValueNotSupported', field: 'spec.kind', message: 'Unsupported value: "C": supported values: "A", "B"' },
    ]);
  });

  it('a secret value is never quoted', () => {
    const body = Type.Object({ secret: Type.Object({ a: Type.String({ maxLength: 2 }), b: Type.Integer() }) });
    const value = { secret: { a: 'canary', b: 'canary' } };
    const causes = causesOf(openSchemas().of(resourceOf(body)).errorsOf(value), value, { secretFields: ['secret'] });
    expect(causes).toHaveLength(2);
    expect(JSON.stringify(causes)).not.toContain('canary');
  });
});

describe('texts of broken rules', () => {
  const body = Type.Object({
    spec: Type.Object({
      interval: Type.String({ pattern: '^[0-9]+m$' }),
      prune: Type.Boolean(),
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
      list: Type.Optional(Type.Array(Type.Object({ name: Type.String({ minLength: 1 }) }), { maxItems: 1 })),
      map: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  });
  it.each([
    [{ spec: { prune: true } }, 'spec.interval', 'Required value'],
    [{ spec: { interval: '5x', prune: true } }, 'spec.interval', `Invalid value: "5x": spec.interval in body should match '^[0-9]+m$'`],
    [{ spec: { interval: 5, prune: true } }, 'spec.interval', 'Invalid value: "integer": spec.interval in body must be of type string'],
    [{ spec: { interval: null, prune: true } }, 'spec.interval', 'Invalid value: "null": spec.interval in body must be of type string'],
    [
      { spec: { interval: '1m', prune: true, count: 0 } },
      'spec.count',
      'Invalid value: 0: spec.count in body should be greater than or equal to 1',
    ],
    [
      { spec: { interval: '1m', prune: true, list: [{ name: '' }] } },
      'spec.list[0].name',
      'Invalid value: "": spec.list[0].name in body should be at least 1 chars long',
    ],
    [{ spec: { interval: '1m', prune: true, list: [{ name: 'a' }, { name: 'b' }] } }, 'spec.list', 'Too many: must have at most 1 items'],
    [
      { spec: { interval: '1m', prune: true, map: { 'a.b/c': 1 } } },
      'spec.map[a.b/c]',
      'Invalid value: "integer": spec.map[a.b/c] in body must be of type string',
    ],
  ])('%j', (value, field, message) => {
    const [cause] = causesOf(openSchemas().of(resourceOf(body)).errorsOf(value), value, { secretFields: [] });
    expect(cause).toMatchObject({ field, message });
  });
});

describe('unknown fields and defaults', () => {
  const schema = viewSchema(
    Type.Object({
      spec: Type.Object({
        a: Type.Optional(Type.String({ default: 'x' })),
        nested: Type.Optional(Type.Object({ b: Type.Optional(Type.Integer({ default: 3 })) }, { default: {} })),
        absent: Type.Optional(Type.Object({ c: Type.Optional(Type.Integer({ default: 3 })) })),
        list: Type.Optional(Type.Array(Type.Object({ d: Type.Optional(Type.Boolean({ default: true })) }))),
        free: Type.Optional(Type.Unknown({ 'x-kubernetes-preserve-unknown-fields': true })),
        map: Type.Optional(Type.Record(Type.String(), Type.String())),
      }),
    }),
  );

  it('are dropped with their path, except where any content is kept', () => {
    const { value, unknown } = pruneUnknown(schema, {
      top: 1,
      spec: { foo: 1, list: [{ d: false, e: 1 }], free: { any: [1] }, map: { k: 'v' } },
    });
    expect(unknown).toEqual(['top', 'spec.foo', 'spec.list[0].e']);
    expect(value).toEqual({ spec: { list: [{ d: false }], free: { any: [1] }, map: { k: 'v' } } });
  });

  it('are filled in from the outside in, only where the parent is there', () => {
    expect(applyDefaults(schema, { spec: { list: [{}], a: null } })).toEqual({ spec: { a: 'x', nested: { b: 3 }, list: [{ d: true }] } });
  });
});

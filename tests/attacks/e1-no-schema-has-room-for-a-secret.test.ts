import { describe, expect, test } from 'vitest';
import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { resources } from '#kinds/registry.ts';
import { groupDocument, schemaName } from '#services/api/wire/open-api/document.ts';

/** E1: what the API says it answers, on every route, read field by field from the document that it serves. */
const document = groupDocument(resources, 'test');
const secretKinds = resources.filter((one) => one.secretFields.length > 0);

/** A name that promises a secret. What only points to one (`secretRef: {name}`) holds none. */
const SECRET = /pass(word|phrase)|token|bearer|secret|credential|private|kubeconfig|(api|access|client|signing)key|^(string)?data$/i;

/** Fields with such a name that were looked at by a person, and why they hold no secret in an answer. */
const reviewed: Readonly<Record<string, string>> = {
  'AccessToken.status.token': 'in the answer to its own creation, once; never stored',
  'ConfigMap.data': 'plain by definition',
  'ServiceAccount.automountServiceAccountToken': 'yes or no',
  'ServiceAccount.imagePullSecrets': 'names',
  'ServiceAccount.secrets': 'names',
  'Kustomization.spec.kubeConfig': 'names of a Secret or ConfigMap',
  'HelmRelease.spec.kubeConfig': 'names of a Secret or ConfigMap',
  'HelmRepository.spec.passCredentials': 'yes or no',
  'ImageUpdateAutomation.spec.git.commit.signingKey': 'name of a Secret, and the kind of its key',
  'Cluster.status.credential': 'issue and expiry of the bootstrap token',
};

type Field = Readonly<{ path: string; schema: JsonObject }>;

function* fieldsOf(schema: Json | undefined, path: string, seen: readonly string[] = []): Generator<Field> {
  if (!isObject(schema)) return;
  const name = textAt(schema, '$ref')?.replace('#/components/schemas/', '');
  if (name !== undefined) {
    if (seen.includes(name)) return;
    yield* fieldsOf(at(document, 'components', 'schemas', name), path, [...seen, name]);
    return;
  }
  for (const part of ['allOf', 'anyOf', 'oneOf']) {
    const several = schema[part];
    if (Array.isArray(several)) for (const one of several) yield* fieldsOf(one, path, seen);
  }
  yield* fieldsOf(schema['items'], path, seen);
  yield* fieldsOf(schema['additionalProperties'], `${path}.*`, seen);
  const properties = schema['properties'];
  if (!isObject(properties)) return;
  for (const [key, value] of Object.entries(properties)) {
    if (!isObject(value)) continue;
    yield { path: `${path}.${key}`, schema: value };
    yield* fieldsOf(value, `${path}.${key}`, seen);
  }
}

/** Everything that a 2xx answer of any operation may hold, by kind. */
function answeredFields(): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  const paths = document['paths'];
  for (const operations of Object.values(isObject(paths) ? paths : {}))
    for (const operation of Object.values(isObject(operations) ? operations : {})) {
      const kind = textAt(operation, 'x-kubernetes-group-version-kind', 'kind');
      const responses = at(operation, 'responses');
      for (const [code, response] of Object.entries(isObject(responses) ? responses : {}))
        if (code.startsWith('2') && kind !== undefined)
          for (const field of fieldsOf(at(response, 'content', 'application/json', 'schema'), kind))
            fields.set(field.path.replace(`${kind}.items.`, `${kind}.`), field);
    }
  return fields;
}

/** The named schemas that an object of a kind is made of, its own included. */
function namesBelow(name: string, found: Set<string> = new Set()): ReadonlySet<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = JSON.stringify(at(document, 'components', 'schemas', name));
  for (const [, below] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) if (below !== undefined) namesBelow(below, found);
  return found;
}

/** `{name, key}`: a pointer. */
function isPointer({ path, schema }: Field): boolean {
  const below = [...fieldsOf(schema, '')].map((one) => one.path);
  return /Refs?$/.test(path) && below.length > 0 && below.every((one) => /^\.(name|key|namespace)$/.test(one));
}

describe('E1: no answer has room for a secret', () => {
  const fields = answeredFields();

  test('every kind is there, field by field', () => {
    expect(new Set([...fields.keys()].map((path) => path.split('.')[0]))).toEqual(new Set(resources.map((one) => one.kind)));
    expect(fields.size).toBeGreaterThan(300);
  });

  test('a field that is tagged as secret stands in the answers of its own kind alone', () => {
    expect(secretKinds.map((one) => [one.kind, one.secretFields])).toEqual([['Secret', ['data', 'stringData']]]);
    const forbidden = secretKinds.map(schemaName);
    const holders = resources.filter((one) => [...namesBelow(schemaName(one))].some((name) => forbidden.includes(name)));
    expect(holders).toEqual(secretKinds);
  });

  test('fields whose name promises a secret are pointers, or were reviewed', () => {
    const suspicious = [...fields.values()].filter(({ path }) => SECRET.test(path.split('.').at(-1) ?? ''));
    expect(suspicious.some(isPointer)).toBe(true);
    const open = suspicious
      .filter((one) => !isPointer(one) && !secretKinds.some(({ kind }) => one.path.startsWith(`${kind}.`)))
      .map((one) => one.path.replace('.items.', '.'));
    expect([...new Set(open)].filter((path) => reviewed[path] === undefined)).toEqual([]);
  });

  test('benign twin: the walk sees what it looks for, in the kind that may hold it', () => {
    expect(fields.has('Secret.data')).toBe(true);
    expect(SECRET.test('data')).toBe(true);
    expect(fields.has('AccessToken.status.token')).toBe(true);
  });
});

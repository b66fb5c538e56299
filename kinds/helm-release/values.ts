import { AppError } from '#core/errors.ts';
import type { Helm } from '#core/helm.ts';
import { at, isObject, type JsonObject } from '#core/json.ts';
import { mergeMaps } from '#core/merge-maps.ts';
import type { Lookup, Secrets } from '#core/ports.ts';
import type { HelmReleaseSpec } from './schema.ts';
import { setAtPath, TargetPathError } from './target-path.ts';

type Ports = Readonly<{ lookup: Lookup; secrets: Secrets; helm: Helm; signal: AbortSignal }>;
type Reference = NonNullable<HelmReleaseSpec['valuesFrom']>[number];

/** What is wrong with the values; `ValuesError` in the condition. Never quotes a value. */
export type Values = Readonly<{ is: 'values'; values: JsonObject }> | Readonly<{ is: 'wrong'; message: string }>;

/**
 * The values of a release: `valuesFrom` as listed, then `values`, then entries with `targetPath`, which win (definitions.md 4.2). A missing object is an error unless it
 * is optional; a missing key always is.
 */
export async function valuesOf(ports: Ports, namespace: string, spec: HelmReleaseSpec): Promise<Values> {
  let base: JsonObject = {};
  const atPaths: Readonly<{ reference: Reference; shown: string; text: string }>[] = [];
  for (const [index, reference] of (spec.valuesFrom ?? []).entries()) {
    const shown = `spec.valuesFrom[${index}]: ${reference.kind} '${namespace}/${reference.name}'`;
    const found = await textOf(ports, namespace, reference);
    if (found === 'noObject') {
      if (reference.optional === true) continue;
      return wrong(`${shown} not found: create it, or set optional: true`);
    }
    if (found === 'noKey') return wrong(`${shown} has no key '${reference.valuesKey ?? 'values.yaml'}'`);
    if (reference.targetPath !== undefined) {
      atPaths.push({ reference, shown, text: found.text });
      continue;
    }
    const read = await mapOf(ports, found.text, reference.kind);
    if (typeof read === 'string') return wrong(`${shown}, key '${reference.valuesKey ?? 'values.yaml'}': ${read}`);
    base = mergeMaps(base, read);
  }
  let values = mergeMaps(base, spec.values ?? {});
  for (const { reference, shown, text } of atPaths) {
    const set = setOne(values, reference, text);
    if (typeof set === 'string') return wrong(`${shown}, targetPath: ${set}`);
    values = set;
  }
  return { is: 'values', values };
}

function setOne(values: JsonObject, { targetPath, literal }: Reference, text: string): JsonObject | string {
  try {
    return setAtPath(values, targetPath ?? '', text, literal === true);
  } catch (error) {
    if (error instanceof TargetPathError) return error.message;
    throw error;
  }
}

async function textOf(
  { lookup, secrets }: Ports,
  namespace: string,
  { kind, name, valuesKey }: Reference,
): Promise<Readonly<{ text: string }> | 'noObject' | 'noKey'> {
  const key = valuesKey ?? 'values.yaml';
  if (kind === 'Secret') {
    const data = await secrets.read(namespace, name);
    if (data === null) return 'noObject';
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    return value === undefined ? 'noKey' : { text: new TextDecoder().decode(value) };
  }
  const found = await lookup.get({ kind: 'ConfigMap', namespace, name });
  if (found === null) return 'noObject';
  const text = at(found.body, 'data', key);
  return typeof text === 'string' ? { text } : 'noKey';
}

async function mapOf({ helm, signal }: Ports, text: string, from: Reference['kind']): Promise<JsonObject | string> {
  try {
    const value = await helm.readValues(text, from, signal);
    if (value === null) return {};
    return isObject(value) ? value : 'it is no map';
  } catch (error) {
    if (error instanceof AppError && error.code === 'buildFailed') return error.message;
    throw error;
  }
}

function wrong(message: string): Values {
  return { is: 'wrong', message };
}

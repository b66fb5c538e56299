import { AppError } from '#core/errors.ts';
import { at, isObject } from '#core/json.ts';
import type { Lookup, Secrets, Substitution } from '#core/ports.ts';
import type { KustomizationSpec } from './schema.ts';

type Ports = Readonly<{ lookup: Lookup; secrets: Secrets }>;

/**
 * Variables for postBuild substitution, weakest first: the cluster's variables, substituteFrom in order, substitute. Only a Kustomization that has `postBuild` gets any.
 * Throws buildFailed naming the object that is missing; never quotes a value.
 */
export async function variablesOf(
  { lookup, secrets }: Ports,
  namespace: string,
  spec: KustomizationSpec,
  clusterVariables: Readonly<Record<string, string>>,
): Promise<Substitution> {
  const { postBuild } = spec;
  if (postBuild === undefined) return { variables: {}, always: false };
  const variables: Record<string, string> = { ...clusterVariables };
  for (const from of postBuild.substituteFrom ?? []) {
    const values =
      from.kind === 'Secret' ? await secretValues(secrets, namespace, from.name) : await configValues(lookup, namespace, from.name);
    if (values !== null) Object.assign(variables, values);
    else if (from.optional !== true)
      throw new AppError(
        'buildFailed',
        `substituteFrom: ${from.kind} '${namespace}/${from.name}' not found: create it, or set optional: true`,
      );
  }
  Object.assign(variables, postBuild.substitute ?? {});
  return { variables, always: postBuild.substituteStrategy === 'Always' };
}

async function secretValues(secrets: Secrets, namespace: string, name: string): Promise<Record<string, string> | null> {
  const data = await secrets.read(namespace, name);
  if (data === null) return null;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, oneLine(new TextDecoder().decode(value))]));
}

async function configValues(lookup: Lookup, namespace: string, name: string): Promise<Record<string, string> | null> {
  const found = await lookup.get({ kind: 'ConfigMap', namespace, name });
  if (found === null) return null;
  const data = at(found.body, 'data');
  if (!isObject(data)) return {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, oneLine(typeof value === 'string' ? value : '')]));
}

/** Upstream takes line breaks out of values, so that one variable stays one scalar (definitions.md 3.2). */
function oneLine(value: string): string {
  return value.replaceAll('\n', '');
}

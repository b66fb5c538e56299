import type { Json, JsonObject } from '#core/json.ts';
import { isObject, textAt } from '#core/json.ts';
import type { Manifest } from '#core/ports.ts';
import { refuse } from './refusal.ts';
import { substituteText, takesPart, variablesIn } from './substitute.ts';
import { readYaml, YamlError } from './yaml.ts';

/** One object of kustomize's output. `text` is its YAML when substitution can change it, else null. */
export type BuiltObject = Readonly<{ object: Manifest; text: string | null }>;

export const OBJECT_LIMITS = Object.freeze({ maxObjectBytes: 4 * 1024 * 1024, maxObjects: 20_000 });

/** Splits kustomize's output into the texts of its documents: each begins at the start of a line, and `---` cannot stand there inside one. Pure. */
export function splitDocuments(output: string): readonly string[] {
  return output.split(/^---\n/m).filter((text) => text.trim() !== '');
}

/** The object of one document. Throws buildFailed naming the object as far as it is known. Pure; about 1 ms per KB. */
export function readBuilt(text: string, position: number): BuiltObject {
  const object = readObject(text, `object ${position}`);
  return { object, text: takesPart(object, text) ? text : null };
}

/** Names of all variables that decide about these objects. Objects whose expressions are broken are left to substitution, which says so. Pure. */
export function variableNames(built: readonly BuiltObject[]): readonly string[] {
  const names = new Set<string>();
  for (const { text } of built) {
    if (text !== null) for (const name of variablesIn(text)) names.add(name);
  }
  return [...names].sort();
}

/** The object after substitution; the result is parsed as YAML again, so that text may become a number. Throws buildFailed without values. Pure. */
export function substituteObject(built: BuiltObject, variables: ReadonlyMap<string, string>): Manifest {
  if (built.text === null) return built.object;
  const name = describe(built.object);
  return readObject(substituteText(built.text, name, variables, OBJECT_LIMITS.maxObjectBytes), `${name} after substitution`);
}

function readObject(text: string, name: string): Manifest {
  const document = readOne(text, name);
  if (!isObject(document)) throw refuse(`${name} is no map`);
  return document;
}

function readOne(text: string, name: string): Json {
  try {
    const [first = null] = readYaml(text, { maxBytes: OBJECT_LIMITS.maxObjectBytes, uniqueKeys: false });
    return first;
  } catch (error) {
    if (error instanceof YamlError) throw refuse(`${name}: ${error.message}`);
    throw error;
  }
}

/** `Kind namespace/name`, as far as the object has them. Pure. */
export function describe(object: JsonObject): string {
  const namespace = textAt(object, 'metadata', 'namespace');
  const name = textAt(object, 'metadata', 'name') ?? '(no name)';
  return `${textAt(object, 'kind') ?? '(no kind)'} ${namespace === undefined ? '' : `${namespace}/`}${name}`.slice(0, 400);
}

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlias, parseAllDocuments, visit } from 'yaml';
import { at, isObject, type Json, type JsonObject, parseJson, textAt } from '#core/json.ts';
import { goTags } from '#services/cli/apply/yaml-numbers.ts';
import type { Cli } from '#services/cli/cli.ts';
import { reasonOf, unanswered } from '#services/cli/failure.ts';

const maxFileBytes = 8 * 1024 * 1024;
const maxFiles = 10_000;
const maxAliases = 100;

/** One object of the input and where it stood. */
export type InputObject = Readonly<{
  object: JsonObject;
  from: string;
  apiVersion: string;
  kind: string;
  name: string;
  namespace: string | null;
}>;

/** The objects of files, folders (with `recursive` also below) and `-`; several documents and Lists are taken apart. Throws CliFailure (exit 2) naming file and reason. */
export async function readObjects(cli: Cli, paths: readonly string[], recursive: boolean): Promise<readonly InputObject[]> {
  if (paths.length === 0) throw unanswered('which files?', { next: 'name them with -f; - stands for the standard input' });
  const found: InputObject[] = [];
  for (const path of paths) {
    if (path === '-') found.push(...parseDocuments(await cli.io.readInput(maxFileBytes), 'standard input'));
    else for (const file of await filesOf(path, recursive)) found.push(...parseDocuments(await readText(file), file));
  }
  if (found.length === 0) throw unanswered(`no objects in ${paths.join(', ')}`);
  return found;
}

async function filesOf(path: string, recursive: boolean): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path, { recursive, withFileTypes: true })).filter(
      (entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name),
    );
    if (names.length > maxFiles) throw new Error(`it holds more than ${maxFiles} files`);
    return names.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (error) {
    throw unanswered(`${path} could not be read: ${reasonOf(error)}`, {}, { cause: error });
  }
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > maxFileBytes) throw unanswered(`${file} is above the limit of ${maxFileBytes} bytes`);
  return readFile(file, 'utf8');
}

/** Documents of YAML or JSON. Numbers beyond 2^53 survive. Throws CliFailure (exit 2). Pure. */
export function parseDocuments(text: string, from: string): readonly InputObject[] {
  return valuesOf(text, from).flatMap((value) => (value === null ? [] : takeApart(value, from)));
}

function valuesOf(text: string, from: string): readonly Json[] {
  try {
    const json = jsonOrNull(text);
    if (json !== null) return [json];
    return parseAllDocuments(text, { version: '1.1', uniqueKeys: true, customTags: goTags }).map((document) => {
      const [broken] = document.errors;
      if (broken !== undefined) throw broken;
      countAliases(document);
      return toJson(document.toJS({ maxAliasCount: maxAliases }));
    });
  } catch (error) {
    throw unanswered(`${from} is neither YAML nor JSON: ${reasonOf(error).split('\n', 1)[0] ?? ''}`, {}, { cause: error });
  }
}

/** JSON keeps its big integers when it is read as JSON; a document that only begins like it (flow YAML) is YAML. */
function jsonOrNull(text: string): Json {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function countAliases(document: Parameters<typeof visit>[0]): void {
  let count = 0;
  visit(document, (_key, node) => {
    if (isAlias(node)) count += 1;
    if (count > maxAliases) throw new Error(`it holds more than ${maxAliases} aliases`);
  });
}

/** What a YAML reader made, as JSON; safe integers as numbers. Throws for what JSON cannot say. */
function toJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint')
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} is no JSON number: quote it`);
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
  throw new Error(`a value of the kind ${typeof value} cannot be sent`);
}

function takeApart(value: Json, from: string): readonly InputObject[] {
  if (!isObject(value)) throw unanswered(`${from}: a document is no object`);
  const kind = textAt(value, 'kind') ?? '';
  const items = value['items'];
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => takeApart(item, from));
  const apiVersion = textAt(value, 'apiVersion');
  const name = textAt(value, 'metadata', 'name');
  if (apiVersion === undefined || kind === '') throw unanswered(`${from}: an object lacks apiVersion or kind`);
  if (name === undefined || name === '') throw unanswered(`${from}: a ${kind} lacks metadata.name`);
  const namespace = at(value, 'metadata', 'namespace');
  // `n` and `on` are booleans in YAML 1.1: the object would go to another namespace in silence.
  if (namespace !== undefined && typeof namespace !== 'string')
    throw unanswered(`${from}: the namespace is no text in the ${kind} ${name}`, { next: 'put it into quotes' });
  return [{ object: value, from, apiVersion, kind, name, namespace: namespace ?? null }];
}

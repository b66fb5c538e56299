import { AppError } from '#core/errors.ts';
import type { Json, JsonObject } from '#core/json.ts';
import { isObject } from '#core/json.ts';
import type { BuildSpec } from '#core/ports.ts';
import type { ArtifactTree, FileEntry } from '../artifact-tree.ts';
import { generateKustomization, kustomizationFileOf } from '../generate.ts';
import { goJson } from '../go-json.ts';
import { mergeSpec } from '../merge-spec.ts';
import { refuse } from '../refusal.ts';
import { YamlError } from '../yaml.ts';
import type { Unresolved } from './fields.ts';
import { scanFields } from './fields.ts';
import { scanPlugins } from './plugins.ts';
import { resolveLocal, resolveReference } from './references.ts';

/**
 * All that a build reads: `files` are copied as they are, `kustomizations` are our own text of each kustomization file (read once and written again as
 * JSON, so that kustomize sees exactly what was scanned). `root` is the folder to build. Empty: nothing to build, no objects.
 */
export type Closure = Readonly<{
  root: string;
  empty: boolean;
  files: ReadonlyMap<string, FileEntry>;
  kustomizations: ReadonlyMap<string, string>;
}>;

/** Reads YAML text off the main thread when it is long. Throws YamlError. */
export type ParseYaml = (text: string) => Promise<readonly Json[]>;

export const PRESCAN_LIMITS = Object.freeze({
  maxFiles: 5_000,
  maxBytes: 64 * 1024 * 1024,
  maxDepth: 100,
  maxVisits: 10_000,
  maxKustomizationBytes: 256 * 1024,
});

type Walk = Readonly<{
  tree: ArtifactTree;
  parse: ParseYaml;
  build: BuildSpec;
  files: Map<string, FileEntry>;
  kustomizations: Map<string, string>;
  visits: Map<string, number>;
}>;

/**
 * Walks over every path-bearing field from the folder `path` on and refuses what leaves the source, is remote, runs something, contains itself, or is not
 * known. Throws notFound when the folder is missing, else buildFailed naming file and field. Reads only kustomization files and plugin settings.
 */
export async function prescan(tree: ArtifactTree, path: string, build: BuildSpec, parse: ParseYaml): Promise<Closure> {
  const root = rootFolder(tree, path);
  const walk: Walk = { tree, parse, build, files: new Map(), kustomizations: new Map(), visits: new Map() };
  const own = kustomizationFileOf(tree, root);
  const original = own === null ? generateKustomization(tree, root) : await readKustomization(walk, own);
  const file = own ?? inFolder(root, 'kustomization.yaml');
  const merged = mergeSpec(original, build, file, (component) =>
    tree.folders.has(resolveReference(root, 'spec.components', 'an entry', component)),
  );
  await visit(walk, root, file, merged, [root]);
  const empty = own === null && isEmpty(merged);
  return { root, empty, files: walk.files, kustomizations: walk.kustomizations };
}

function isEmpty(merged: JsonObject): boolean {
  return ['resources', 'components'].every((field) => {
    const value = merged[field];
    return !Array.isArray(value) || value.length === 0;
  });
}

/** A leading `/` or `./` means the root of the artifact, as in Flux. */
function rootFolder(tree: ArtifactTree, path: string): string {
  const relative = path.replace(/^(\.?\/)+/, '');
  const root = relative === '' ? '' : resolveLocal('', 'spec.path', 'the path', relative);
  if (!tree.folders.has(root)) throw new AppError('notFound', `the folder ${path} is not in the artifact`);
  return root;
}

function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

async function readKustomization(walk: Walk, file: string): Promise<JsonObject> {
  const { maxKustomizationBytes } = PRESCAN_LIMITS;
  const entry = walk.tree.files.get(file);
  if ((entry?.sizeBytes ?? 0) > maxKustomizationBytes)
    throw refuse(`${file} has more than ${maxKustomizationBytes} bytes, the limit for a kustomization file`);
  const documents = await readDocuments(walk, file);
  const [first = {}] = documents;
  if (documents.length > 1) throw refuse(`${file} holds more than one document`);
  if (first === null) return {};
  if (!isObject(first)) throw refuse(`${file} is no map`);
  const kind = first['kind'];
  if (kind !== undefined && kind !== 'Kustomization' && kind !== 'Component')
    throw refuse(`${file}: kind must be Kustomization or Component`);
  return first;
}

async function readDocuments(walk: Walk, file: string): Promise<readonly Json[]> {
  const bytes = await walk.tree.read(file);
  return parseNamed(walk, bytes.toString('utf8'), file);
}

async function parseNamed(walk: Walk, text: string, file: string): Promise<readonly Json[]> {
  try {
    return await walk.parse(text);
  } catch (error) {
    if (error instanceof YamlError) throw refuse(`${file}: ${error.message}`);
    throw error;
  }
}

/** Returns how many folders building this one visits, repeats included: bases that include each other twice per level grow without bound. */
async function visit(walk: Walk, folder: string, file: string, kustomization: JsonObject, stack: readonly string[]): Promise<number> {
  const found = scanFields(kustomization, file);
  const fromInlines: Unresolved[] = [];
  for (const { field, text } of found.inlines)
    fromInlines.push(...scanPlugins(await parseNamed(walk, text, `${file}: ${field}`), file, field));
  walk.kustomizations.set(inFolder(folder, 'kustomization.yaml'), goJson(kustomization));
  let visits = 1;
  for (const reference of [...found.references, ...fromInlines]) visits += await follow(walk, { folder, file, stack }, reference);
  if (visits > PRESCAN_LIMITS.maxVisits) throw refuse(`${file}: building it would visit more than ${PRESCAN_LIMITS.maxVisits} folders`);
  return visits;
}

type Place = Readonly<{ folder: string; file: string; stack: readonly string[] }>;

async function follow(walk: Walk, place: Place, reference: Unresolved): Promise<number> {
  const { tree } = walk;
  const path = resolveReference(place.folder, place.file, reference.field, reference.text);
  if (reference.expected !== 'folder' && tree.files.has(path)) {
    await addFile(walk, place, path, reference);
    return 0;
  }
  if (reference.expected !== 'file' && tree.folders.has(path)) return enter(walk, place, path, reference);
  const wanted = { file: 'file', folder: 'folder', either: 'file or folder' }[reference.expected];
  throw refuse(`${place.file}: ${reference.field} names ${JSON.stringify(reference.text)}; no such ${wanted} in the source`);
}

async function addFile(walk: Walk, place: Place, path: string, reference: Unresolved): Promise<void> {
  const { maxFiles, maxBytes } = PRESCAN_LIMITS;
  const entry = walk.tree.files.get(path);
  if (entry === undefined) throw new Error('the file was there a moment ago');
  walk.files.set(path, entry);
  if (walk.files.size > maxFiles) throw refuse(`${place.file}: the build reads more than ${maxFiles} files`);
  let bytes = 0;
  for (const one of walk.files.values()) bytes += one.sizeBytes;
  if (bytes > maxBytes) throw refuse(`${place.file}: the build reads more than ${maxBytes} bytes`);
  if (reference.role !== 'plugin') return;
  for (const inner of scanPlugins(await readDocuments(walk, path), path, reference.field))
    await follow(walk, { ...place, file: path }, inner);
}

async function enter(walk: Walk, place: Place, folder: string, reference: Unresolved): Promise<number> {
  if (reference.role === 'plugin')
    throw refuse(`${place.file}: ${reference.field} names a folder; name the files with the settings instead`);
  const start = place.stack.indexOf(folder);
  if (start >= 0)
    throw refuse(
      `${place.file}: ${reference.field} closes a cycle: ${[...place.stack.slice(start), folder].map((one) => one || '.').join(' → ')}`,
    );
  if (place.stack.length >= PRESCAN_LIMITS.maxDepth)
    throw refuse(`${place.file}: ${reference.field} goes deeper than ${PRESCAN_LIMITS.maxDepth} folders`);
  const known = walk.visits.get(folder);
  if (known !== undefined) return known;
  const file = kustomizationFileOf(walk.tree, folder);
  if (file === null) throw refuse(`${place.file}: ${reference.field} names a folder without a kustomization file`);
  const visits = await visit(walk, folder, file, await readKustomization(walk, file), [...place.stack, folder]);
  walk.visits.set(folder, visits);
  return visits;
}

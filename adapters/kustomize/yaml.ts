import type { Document, Node, Pair, ParsedNode, Tags, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Json, JsonObject } from '#core/json.ts';
import { NotFiniteError, numberTag } from './yaml-number.ts';

/** What is wrong with a YAML text. The message names the line and the kind of mistake and never quotes the text: values may be secret. */
export class YamlError extends Error {
  override name = 'YamlError';
}

export type YamlOptions = Readonly<{
  maxBytes: number /** Refuse a key that stands twice, as Kubernetes' strict reader does. */;
  uniqueKeys: boolean;
}>;

const DROPPED: ReadonlySet<string> = Object.freeze(
  new Set(['int', 'float', 'timestamp', 'set', 'omap', 'pairs', 'binary'].map((name) => `tag:yaml.org,2002:${name}`)),
);
const MAX_DEPTH = 200;
/** Nodes that aliases and merge keys may add to what stands in the text: a few kilobytes must not become gigabytes (CVE-2019-11253). */
const MAX_ALIASED_NODES = 100_000;
const MAX_DOCUMENTS = 100_000;
const FORBIDDEN_KEY = '__proto__';

/**
 * All documents of a YAML text as JSON, with the scalars that Kubernetes' Go reader sees (YAML 1.1, sigs.k8s.io/yaml; libraries.md 15.2). Throws YamlError.
 * Pure, but slow (about 1 ms per KB): callers with much text go through `toObjects` in a worker thread.
 */
export function readYaml(text: string, options: YamlOptions): readonly Json[] {
  const bytes = Buffer.byteLength(text);
  if (bytes > options.maxBytes) throw new YamlError(`the text has ${bytes} bytes, the limit is ${options.maxBytes}`);
  const lines = new LineCounter();
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      customTags: ourTags,
      uniqueKeys: options.uniqueKeys,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter: lines,
      keepSourceTokens: false,
    });
    if (!Array.isArray(documents)) return [];
    if (documents.length > MAX_DOCUMENTS) throw new YamlError(`more than ${MAX_DOCUMENTS} documents`);
    return documents.map((document) => convert(document, lines));
  } catch (error) {
    if (error instanceof YamlError) throw error;
    if (error instanceof NotFiniteError) throw new YamlError('.inf and .nan cannot be written as JSON');
    // The library is recursive: deep brackets end its stack.
    if (error instanceof RangeError) throw new YamlError(`nested deeper than ${MAX_DEPTH} levels`);
    throw error;
  }
}

function ourTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => typeof tag === 'string' || !DROPPED.has(tag.tag));
  return [...kept, numberTag];
}

function convert(document: Document.Parsed<ParsedNode, true> | Document<ParsedNode, true>, lines: LineCounter): Json {
  const [mistake] = document.errors;
  if (mistake !== undefined)
    throw new YamlError(`line ${lines.linePos(mistake.pos[0]).line}: ${mistake.code.toLowerCase().replaceAll('_', ' ')}`);
  const run: Run = { anchors: new Map(), aliased: 0, lines };
  return toJson(document.contents, run, 0);
}

type Anchored = Readonly<{ value: Json; nodes: number }>;
/** State of one document. `aliased` counts the nodes that aliases added. */
type Run = { readonly anchors: Map<string, Anchored | 'open'>; aliased: number; readonly lines: LineCounter };

function toJson(node: Node | null | undefined, run: Run, depth: number): Json {
  if (depth > MAX_DEPTH) throw new YamlError(`nested deeper than ${MAX_DEPTH} levels`);
  if (node === null || node === undefined) return null;
  if (isAlias(node)) return aliased(node.source, run);
  const anchor = 'anchor' in node && typeof node.anchor === 'string' && node.anchor !== '' ? node.anchor : null;
  if (anchor !== null) run.anchors.set(anchor, 'open');
  const value = inner(node, run, depth);
  if (anchor !== null) run.anchors.set(anchor, { value, nodes: countNodes(value) });
  return value;
}

function inner(node: Node, run: Run, depth: number): Json {
  if (isScalar(node)) return scalar(node.value);
  if (isSeq(node)) return node.items.map((item) => toJson(asNode(item), run, depth + 1));
  if (isMap(node)) return mapping(node, run, depth);
  throw new YamlError('a node that is no scalar, list or map');
}

function scalar(value: unknown): Json {
  if (typeof value === 'symbol') return '<<';
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string')
    return value;
  throw new YamlError('a scalar with a tag that is not supported');
}

function aliased(name: string, run: Run): Json {
  const found = run.anchors.get(name);
  if (found === undefined) throw new YamlError('an alias without its anchor');
  if (found === 'open') throw new YamlError('an alias that contains itself');
  run.aliased += found.nodes;
  if (run.aliased > MAX_ALIASED_NODES) throw new YamlError(`aliases add more than ${MAX_ALIASED_NODES} nodes`);
  return found.value;
}

/** Counts a value with all its aliases expanded; the sum is bounded because aliases were counted on the way. */
function countNodes(value: Json): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item: Json) => sum + countNodes(item), 1);
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, item) => sum + countNodes(item), 1);
}

function mapping(node: YAMLMap, run: Run, depth: number): JsonObject {
  const result: Record<string, Json> = {};
  // In the order of the text, as Go's reader does: a merge after a key replaces it.
  for (const pair of node.items) {
    if (isMergeKey(pair)) merge(result, toJson(asNode(pair.value), run, depth + 1));
    else result[keyText(toJson(asNode(pair.key), run, depth + 1))] = toJson(asNode(pair.value), run, depth + 1);
  }
  return result;
}

function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && typeof pair.key.value === 'symbol';
}

function merge(target: Record<string, Json>, source: Json): void {
  if (Array.isArray(source)) {
    for (const one of source.toReversed()) merge(target, one);
    return;
  }
  if (typeof source !== 'object' || source === null) throw new YamlError('a merge key whose value is no map');
  Object.assign(target, source);
}

function keyText(key: Json): string {
  if (key === null || typeof key === 'object') throw new YamlError('a key that is no text');
  const text = String(key);
  if (text === FORBIDDEN_KEY) throw new YamlError(`the key ${FORBIDDEN_KEY} is not allowed`);
  return text;
}

function asNode(value: unknown): Node | null {
  if (value === null || value === undefined) return null;
  if (isAlias(value) || isScalar(value) || isMap(value) || isSeq(value)) return value;
  throw new YamlError('a node that is no scalar, list or map');
}

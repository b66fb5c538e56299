import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type Json, parseJson } from '#core/json.ts';
import { entriesOfDocument } from './index-document.ts';
import { createIndexReader, type IndexEntries, type IndexLimits } from './index-lines.ts';

/** All documents of a YAML text by the rules of Go's reader, in a thread of its own when it is long. Throws an Error named YamlError. */
export type ParseYaml = (text: string, maxBytes: number, signal: AbortSignal) => Promise<readonly Json[]>;
export type IndexRead = Readonly<{ is: 'read'; entries: IndexEntries }> | Readonly<{ is: 'refused'; message: string }>;

/** A chart with more versions would hold the process up whenever somebody looks for one of them. */
const LIMITS: IndexLimits = Object.freeze({ versions: 200_000, versionsOfOneChart: 20_000 });
/** Of one line; a longer one only stands in an index of another form. */
const MAX_LINE_CHARACTERS = 1_048_576;
/** What is read whole when the line reader gives up. */
const MAX_WHOLE_YAML_BYTES = 2 * 1024 * 1024;
const MAX_WHOLE_JSON_BYTES = 8 * 1024 * 1024;

/**
 * Names, versions, addresses and digests of an index file. Regular ones of any allowed size are read as a stream (memory of the answer only); those of an
 * unusual form whole, under tighter limits.
 */
export async function readIndexFile(file: string, parseYaml: ParseYaml, signal: AbortSignal): Promise<IndexRead> {
  const regular = await readLines(file, signal);
  if (regular === 'tooMany') return tooMany();
  if (regular !== 'irregular') return { is: 'read', entries: regular };
  const { size } = await stat(file);
  if (size > MAX_WHOLE_JSON_BYTES) return irregular(size);
  const text = await readFile(file, 'utf8');
  const isJson = text.trimStart().startsWith('{');
  if (!isJson && size > MAX_WHOLE_YAML_BYTES) return irregular(size);
  const document = isJson ? readJson(text) : await readYaml(text, parseYaml, signal);
  if ('refused' in document) return { is: 'refused', message: document.refused };
  const entries = entriesOfDocument(document.value);
  if (entries === null) return { is: 'refused', message: 'it has no apiVersion or no entries: is this the index of a chart repository?' };
  return isWithin(entries) ? { is: 'read', entries } : tooMany();
}

function isWithin(entries: IndexEntries): boolean {
  const counts = [...entries.values()].map(({ length }) => length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return entries.size <= LIMITS.versions && total <= LIMITS.versions && counts.every((count) => count <= LIMITS.versionsOfOneChart);
}

function tooMany(): IndexRead {
  return {
    is: 'refused',
    message: `it has more than ${LIMITS.versions} versions or charts, or more than ${LIMITS.versionsOfOneChart} versions of one chart: leave old ones out`,
  };
}

function irregular(size: number): IndexRead {
  return {
    is: 'refused',
    message: `its ${size} bytes are not written as \`helm repo index\` writes them; of such an index at most ${MAX_WHOLE_YAML_BYTES} bytes (as JSON ${MAX_WHOLE_JSON_BYTES}) are read`,
  };
}

async function readLines(file: string, signal: AbortSignal): Promise<IndexEntries | 'irregular' | 'tooMany'> {
  const reader = createIndexReader(LIMITS);
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8', signal })) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) return 'irregular';
    for (const line of lines) reader.line(line);
  }
  reader.line(rest);
  return reader.end();
}

type Document = Readonly<{ value: Json | undefined }> | Readonly<{ refused: string }>;

function readJson(text: string): Document {
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return { refused: 'it is no JSON' };
    throw error;
  }
}

async function readYaml(text: string, parseYaml: ParseYaml, signal: AbortSignal): Promise<Document> {
  const read = await yamlOf(text, MAX_WHOLE_YAML_BYTES, parseYaml, signal);
  return typeof read === 'string' ? { refused: read } : { value: read.documents[0] };
}

/** Documents of a text, or what is wrong with it. No text of the file is quoted. */
export async function yamlOf(
  text: string,
  maxBytes: number,
  parseYaml: ParseYaml,
  signal: AbortSignal,
): Promise<Readonly<{ documents: readonly Json[] }> | string> {
  try {
    return { documents: await parseYaml(text, maxBytes, signal) };
  } catch (error) {
    if (error instanceof Error && (error.name === 'YamlError' || error.name === 'AppError')) return `it is no YAML: ${error.message}`;
    throw error;
  }
}

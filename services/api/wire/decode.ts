import { readYaml, YamlError } from '#adapters/kustomize/yaml.ts';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, type JsonObject, parseJson } from '#core/json.ts';
import { duplicateKeys } from '#services/api/validate/duplicate-keys.ts';
import type { Body } from '#services/api/wire/call.ts';

/** A decoded object and the keys that stood in it twice (the last one was taken). */
export type Decoded = Readonly<{ value: JsonObject; duplicates: readonly string[] }>;

const maxDuplicates = 100;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The object in a body of JSON or YAML. Throws AppError badRequest with the place of the mistake, never with the content. */
export function decodeObject(body: Body): Decoded {
  const text = textOf(body);
  if (body.format === 'yaml' || body.format === 'apply-patch') return decodeYaml(text, body.bytes.byteLength);
  const value = decodeJson(body);
  if (!isObject(value)) throw new AppError('badRequest', 'the body of the request must be an object');
  return { value, duplicates: duplicateKeys(text).slice(0, maxDuplicates) };
}

/** Any JSON value of a body. */
export function decodeJson(body: Body): Json {
  try {
    return parseJson(textOf(body));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError('badRequest', `the body of the request is not valid JSON${positionOf(error)}`, {}, { cause: error });
  }
}

/** V8 quotes the text around the mistake: only the position is passed on, since bodies hold secrets. */
function positionOf(error: SyntaxError): string {
  const position = /at position ([0-9]+)/.exec(error.message)?.[1];
  return position === undefined ? '' : ` at position ${position}`;
}

function decodeYaml(text: string, maxBytes: number): Decoded {
  const documents = readOrThrow(text, maxBytes, false).filter((document) => document !== null);
  const [value] = documents;
  if (documents.length > 1) throw new AppError('badRequest', 'the body of the request must hold one YAML document');
  if (value === undefined || !isObject(value)) throw new AppError('badRequest', 'the body of the request must be an object');
  return { value, duplicates: yamlDuplicates(text, maxBytes) };
}

function readOrThrow(text: string, maxBytes: number, uniqueKeys: boolean): readonly Json[] {
  try {
    return readYaml(text, { maxBytes, uniqueKeys });
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new AppError('badRequest', `the body of the request is not valid YAML: ${error.message}`, {}, { cause: error });
  }
}

/** The reader says only that some key stands twice, so the path is the line it names. */
function yamlDuplicates(text: string, maxBytes: number): readonly string[] {
  try {
    readYaml(text, { maxBytes, uniqueKeys: true });
    return [];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return [error.message];
  }
}

function textOf(body: Body): string {
  if (body.format === 'protobuf') throw unreadable();
  try {
    return utf8.decode(body.bytes);
  } catch (error) {
    throw new AppError('badRequest', 'the body of the request is not valid UTF-8', {}, { cause: error });
  }
}

function unreadable(): AppError {
  return new AppError(
    'unsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
  );
}

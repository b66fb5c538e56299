import { CST, isMap, isScalar, Lexer, parseAllDocuments, type YAMLMap } from 'yaml';
import { type Edit, type FileObject, MARKER, type ObjectChange, type Setters } from '#core/image/setters.ts';
import { parseJson, textAt } from '#core/json.ts';
import { written } from './plain.ts';

/** The lexer of `yaml` announces each scalar by this. */
const SCALAR = '\u001f';
const COMMENT = /^#\s*(\{.*\})\s*$/;

/** One scalar that is to change: its place in the text, and what stands there after. */
type Place = Readonly<{ from: number; to: number; text: string; oldValue: string; newValue: string; setter: string }>;

/** Sets marked scalars by their place in the text, found by the lexer of `yaml`: nothing is written anew. Holds nothing. */
export const setters: Setters = Object.freeze({
  apply(text: string, values: ReadonlyMap<string, string>): Edit {
    const places = placesIn(text, values);
    if (places === null) return { is: 'unreadable', message: 'its places cannot be told' };
    if (places.length === 0) return { is: 'unchanged' };
    const objects = objectsOf(text);
    if (typeof objects === 'string') return { is: 'unreadable', message: objects };
    let made = '';
    let at = 0;
    const changes: ObjectChange[] = [];
    for (const { from, to, text: next, oldValue, newValue, setter } of places) {
      made += text.slice(at, from) + next;
      at = to;
      const object = objects.findLast((one) => one.from <= from)?.object ?? NO_OBJECT;
      changes.push({ object, change: { oldValue, newValue, setter } });
    }
    return { is: 'changed', text: made + text.slice(at), changes };
  },
});

/** A marker counts for the scalar right before it on its line. Null when the lexer did not account for every character. */
function placesIn(text: string, values: ReadonlyMap<string, string>): readonly Place[] | null {
  const places: Place[] = [];
  let offset = 0;
  let scalar: Readonly<{ from: number; source: string }> | null = null;
  let isNext = false;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    if (token === SCALAR) {
      isNext = true;
      continue;
    }
    // Marks of the lexer's own that do not stand in the text.
    if (type === 'doc-mode' || type === 'flow-error-end') continue;
    if (isNext) {
      isNext = false;
      // The text of a block scalar holds its line breaks; a comment behind it belongs to something else.
      scalar = token === '' || token.endsWith('\n') ? null : { from: offset, source: token };
    } else if (type === 'single-quoted-scalar' || type === 'double-quoted-scalar') {
      scalar = { from: offset, source: token };
    } else if (type === 'comment' && scalar !== null) {
      const place = placeOf(scalar, token, values);
      if (place !== null) places.push(place);
      scalar = null;
    } else if (type !== 'space') scalar = null;
    offset += token.length;
  }
  return offset === text.length ? places : null;
}

function placeOf(scalar: Readonly<{ from: number; source: string }>, comment: string, values: ReadonlyMap<string, string>): Place | null {
  const setter = setterIn(comment);
  const newValue = setter === null ? undefined : values.get(setter);
  if (setter === null || newValue === undefined) return null;
  const { from, source } = scalar;
  const quotes = source.startsWith("'") ? "'" : source.startsWith('"') ? '"' : '';
  const oldValue = valueOf(source, quotes);
  if (oldValue === newValue) return null;
  return { from, to: from + source.length, text: written(newValue, quotes), oldValue, newValue, setter };
}

function setterIn(comment: string): string | null {
  if (!comment.includes(MARKER)) return null;
  const json = COMMENT.exec(comment)?.[1];
  if (json === undefined) return null;
  try {
    return textAt(parseJson(json), MARKER) ?? null;
  } catch (error) {
    // A comment of another meaning.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function valueOf(source: string, quotes: '"' | "'" | ''): string {
  const type = quotes === '' ? 'scalar' : quotes === "'" ? 'single-quoted-scalar' : 'double-quoted-scalar';
  return CST.resolveAsScalar({ type, offset: 0, indent: 0, source }, false, () => undefined)?.value ?? source;
}

const NO_OBJECT: FileObject = Object.freeze({ apiVersion: '', kind: '', name: '', namespace: '' });

type Placed = Readonly<{ from: number; object: FileObject }>;

/** The object of each document by where it begins, or why the text cannot be read. */
function objectsOf(text: string): readonly Placed[] | string {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.1',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      keepSourceTokens: false,
    });
    if (!Array.isArray(documents)) return [];
    const found: Placed[] = [];
    for (const document of documents) {
      const [mistake] = document.errors;
      if (mistake !== undefined) return mistake.code.toLowerCase().replaceAll('_', ' ');
      const contents: unknown = document.contents;
      found.push({ from: document.range[0], object: isMap(contents) ? objectOf(contents) : NO_OBJECT });
    }
    return found;
  } catch (error) {
    // The library is recursive: deep brackets end its stack.
    if (error instanceof RangeError) return 'nested too deep';
    throw error;
  }
}

function objectOf(map: YAMLMap): FileObject {
  const metadata = map.get('metadata', true);
  const of = (one: unknown, key: string): string => {
    const value = isMap(one) ? one.get(key, true) : undefined;
    return isScalar(value) && typeof value.value === 'string' ? value.value : '';
  };
  return Object.freeze({
    apiVersion: of(map, 'apiVersion'),
    kind: of(map, 'kind'),
    name: of(metadata, 'name'),
    namespace: of(metadata, 'namespace'),
  });
}

import { bound } from './arithmetic.ts';
import { isTagged } from './convert.ts';
import { formatText } from './format.ts';
import { CelError, listOf, noOverload, type Purse, type Value } from './values.ts';

type TextFunction = (text: string, args: readonly Value[], purse: Purse) => Value;

/** Methods of texts: those of the standard and of cel-go's extension `strings`. Places count characters (code points), as there. */
export const textFunctions: Readonly<Record<string, TextFunction>> = Object.freeze({
  contains: (text, [part]) => text.includes(textOf('contains', part)),
  startsWith: (text, [part]) => text.startsWith(textOf('startsWith', part)),
  endsWith: (text, [part]) => text.endsWith(textOf('endsWith', part)),
  charAt: (text, [place]) => {
    const letters = Array.from(text);
    const index = placeOf('charAt', place, letters.length);
    return letters[index] ?? '';
  },
  indexOf: (text, [part, from]) => find(text, textOf('indexOf', part), from, false),
  lastIndexOf: (text, [part, from]) => find(text, textOf('lastIndexOf', part), from, true),
  lowerAscii: (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  upperAscii: (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  trim: (text) => text.replace(/^[\s\u0085]+|[\s\u0085]+$/gu, ''),
  reverse: (text) => Array.from(text).reverse().join(''),
  substring: (text, [start, end]) => {
    const letters = Array.from(text);
    const from = placeOf('substring', start, letters.length);
    const to = end === undefined ? letters.length : placeOf('substring', end, letters.length);
    if (from > to) throw new CelError(`substring: ${from} is behind ${to}`);
    return letters.slice(from, to).join('');
  },
  replace,
  split: (text, [separator, limit], purse) => split(text, textOf('split', separator), limitOf('split', limit), purse),
  format: (text, [args], purse) => {
    if (args === undefined || !isTagged(args, 'list')) throw noOverload('format', text, args ?? null);
    return formatText(text, args.items, purse);
  },
});

export function textOf(name: string, value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw noOverload(name, value ?? null);
}

function placeOf(name: string, value: Value | undefined, length: number): number {
  if (typeof value !== 'bigint') throw noOverload(name, value ?? null);
  if (value < 0n || value > BigInt(length)) throw new CelError(`${name}: index out of range: ${value}`);
  return Number(value);
}

function limitOf(name: string, value: Value | undefined): number {
  if (value === undefined) return -1;
  if (typeof value !== 'bigint') throw noOverload(name, value);
  return value < 0n || value > 1_048_576n ? -1 : Number(value);
}

function find(text: string, part: string, from: Value | undefined, last: boolean): bigint {
  const letters = Array.from(text);
  const name = last ? 'lastIndexOf' : 'indexOf';
  if (part === '' && from === undefined) return BigInt(last ? letters.length : 0);
  const length = Array.from(part).length;
  const start = from === undefined ? (last ? Math.max(0, letters.length - length) : 0) : placeOf(name, from, MAX_PLACE);
  if (part === '') return BigInt(start);
  if (start > letters.length) return -1n;
  const offset = letters.slice(0, start).join('').length;
  const found = last ? text.lastIndexOf(part, offset) : text.indexOf(part, offset);
  return found < 0 ? -1n : BigInt(Array.from(text.slice(0, found)).length);
}

function replace(text: string, [old, fresh, limit]: readonly Value[], purse: Purse): Value {
  const [from, to] = [textOf('replace', old), textOf('replace', fresh)];
  const most = limitOf('replace', limit);
  const pieces = from === '' ? ['', ...Array.from(text), ''] : text.split(from);
  const count = pieces.length - 1;
  const times = most < 0 ? count : Math.min(most, count);
  bound(text.length + times * to.length, purse);
  if (from === '') {
    const letters = Array.from(text);
    return letters.map((letter, index) => (index < times ? to + letter : letter)).join('') + (times > letters.length ? to : '');
  }
  return pieces.reduce((made, piece, index) => (index === 0 ? piece : made + (index <= times ? to : from) + piece), '');
}

function split(text: string, separator: string, limit: number, purse: Purse): Value {
  if (limit === 0) return listOf([]);
  if (limit === 1) return listOf([text]);
  const pieces = separator === '' ? Array.from(text) : text.split(separator);
  bound(10 * pieces.length, purse);
  if (limit < 0 || pieces.length <= limit) return listOf(pieces);
  return listOf([...pieces.slice(0, limit - 1), pieces.slice(limit - 1).join(separator)]);
}

/** A list of texts as one. */
export function joinTexts(list: Value, separator: Value | undefined, purse: Purse): Value {
  if (!isTagged(list, 'list')) throw noOverload('join', list);
  const between = separator === undefined ? '' : textOf('join', separator);
  const texts = list.items.map((one) => textOf('join', one));
  bound(
    texts.reduce((sum, one) => sum + one.length + between.length, 0),
    purse,
  );
  return texts.join(between);
}

/** Looking from behind the end finds nothing, as in Go. */
const MAX_PLACE = 1_048_576;
const QUOTED: Readonly<Record<string, string>> = Object.freeze({
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
});

export function quoteText(text: string): string {
  return `"${Array.from(text, (letter) => QUOTED[letter] ?? letter).join('')}"`;
}

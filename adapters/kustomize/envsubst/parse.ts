import type { ByteText } from './bytes.ts';
import { runeAt } from './bytes.ts';
import type { Accept, Scanner } from './scanner.ts';
import { peek, scan } from './scanner.ts';

export type Part = Readonly<{ is: 'text'; value: ByteText }> | Call;
/** `${name<op>args}`; op is empty for a bare variable. */
export type Call = Readonly<{ is: 'call'; name: ByteText; op: string; args: readonly Part[] }>;

/** A place that is no substitution. `name` is the variable as far as it was read; the message never quotes more of the text than that. */
export class SubstitutionError extends Error {
  readonly variable: string;
  constructor(variable: string, problem: string) {
    super(problem);
    this.variable = variable;
  }
}

const MAX_NESTING = 50;
const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}_]$/u;

const anyCharacter: Accept = () => true;
const identifier: Accept = (point) => LETTER_OR_DIGIT.test(String.fromCodePoint(point));
const notClosing: Accept = (point) => point !== 0x7d;
const notSlash: Accept = (point) => point !== 0x2f;
const notColonNorClosing: Accept = (point) => point !== 0x3a && point !== 0x7d;
const only =
  (character: string, max: number): Accept =>
  (point, length) =>
    point === character.charCodeAt(0) && length <= max;
const casing: Accept = (point, length) => (point === 0x2c || point === 0x5e) && length < 3;
const defaultOperator: Accept = (point, length) =>
  (length === 1 && point === 0x3a) || (length === 2 && '=-?+'.includes(String.fromCodePoint(point)));
const replaceOperator: Accept = (point, length) =>
  (length === 1 && point === 0x2f) || (length === 2 && '/#%'.includes(String.fromCodePoint(point)));

/**
 * The parts of a text with `${…}` in it, in the grammar of fluxcd/pkg/envsubst 1.8.0 with its quirks (libraries.md 15.5). Throws SubstitutionError.
 * Pure; the time is linear in the text.
 */
export function parseTemplate(text: ByteText): readonly Part[] {
  const scanner: Scanner = { text, at: 0, word: '' };
  const parts: Part[] = [];
  for (;;) {
    const token = scan(scanner, { accept: anyCharacter, word: true, open: true, escape: 'dollar' });
    if (token === 'end') return parts;
    parts.push(token === 'open' ? call(scanner, 0) : { is: 'text', value: scanner.word });
  }
}

function call(scanner: Scanner, depth: number): Call {
  if (depth > MAX_NESTING) throw new SubstitutionError('', `substitutions are nested deeper than ${MAX_NESTING}`);
  const next = peek(scanner);
  if (next === 0x23) return lengthCall(scanner);
  if (scan(scanner, { accept: identifier, word: true }) !== 'word') throw new SubstitutionError('', 'unable to parse variable name');
  const name = scanner.word;
  switch (String.fromCodePoint(peek(scanner))) {
    case ':':
      return afterColon(scanner, name) ? defaultCall(scanner, name, depth) : substringCall(scanner, name, depth);
    case '=':
      return defaultCall(scanner, name, depth);
    case ',':
    case '^':
      return close(scanner, { is: 'call', name, op: operator(scanner, name, casing), args: [] });
    case '/':
      return replaceCall(scanner, name, depth);
    case '#':
    case '%':
      return removeCall(scanner, name, depth);
    default:
      if (scan(scanner, { accept: identifier, close: true }) !== 'close') throw new SubstitutionError(name, 'missing closing brace');
      return { is: 'call', name, op: '', args: [] };
  }
}

function lengthCall(scanner: Scanner): Call {
  scan(scanner, { accept: only('#', 1), word: true });
  if (scan(scanner, { accept: identifier, word: true }) !== 'word') throw new SubstitutionError('', 'bad substitution');
  return close(scanner, { is: 'call', name: scanner.word, op: '#', args: [] });
}

/** True when the colon belongs to a default operator and not to an offset. */
function afterColon(scanner: Scanner, name: ByteText): boolean {
  const at = scanner.at + 1;
  if (at >= scanner.text.length) return false;
  const { point, width } = runeAt(scanner.text, at);
  // Flux's scanner steps back by the width of this letter, and so to a wrong place: always an error there.
  if (width > 1) throw new SubstitutionError(name, 'bad substitution');
  return '=-?+'.includes(String.fromCodePoint(point));
}

function operator(scanner: Scanner, name: ByteText, accept: Accept): string {
  if (scan(scanner, { accept, word: true }) !== 'word') throw new SubstitutionError(name, 'bad substitution');
  return scanner.word;
}

function argument(scanner: Scanner, name: ByteText, depth: number, accept: Accept, escape: boolean): Part {
  const token = scan(scanner, { accept, word: true, open: true, ...(escape ? { escape: 'all' as const } : {}) });
  if (token === 'open') return call(scanner, depth + 1);
  if (token === 'word') return { is: 'text', value: scanner.word };
  throw new SubstitutionError(name, 'unable to parse substitution within function');
}

function close(scanner: Scanner, done: Call): Call {
  if (scan(scanner, { accept: identifier, close: true }) !== 'close') throw new SubstitutionError(done.name, 'bad substitution');
  return done;
}

function defaultCall(scanner: Scanner, name: ByteText, depth: number): Call {
  const op = operator(scanner, name, peek(scanner) === 0x3d ? only('=', 1) : defaultOperator);
  const args: Part[] = [];
  while (peek(scanner) !== 0x7d) args.push(argument(scanner, name, depth, notClosing, false));
  return close(scanner, { is: 'call', name, op, args });
}

function substringCall(scanner: Scanner, name: ByteText, depth: number): Call {
  const op = operator(scanner, name, only(':', 1));
  const offset = argument(scanner, name, depth, notColonNorClosing, false);
  const token = scan(scanner, { accept: only(':', Number.POSITIVE_INFINITY), word: true, close: true });
  if (token === 'close') return { is: 'call', name, op, args: [offset] };
  if (token !== 'word') throw new SubstitutionError(name, 'bad substitution');
  return close(scanner, { is: 'call', name, op, args: [offset, argument(scanner, name, depth, notClosing, false)] });
}

function removeCall(scanner: Scanner, name: ByteText, depth: number): Call {
  const op = operator(scanner, name, only(peek(scanner) === 0x23 ? '#' : '%', 2));
  return close(scanner, { is: 'call', name, op, args: [argument(scanner, name, depth, notClosing, false)] });
}

function replaceCall(scanner: Scanner, name: ByteText, depth: number): Call {
  const op = operator(scanner, name, replaceOperator);
  const pattern = argument(scanner, name, depth, notSlash, true);
  if (scan(scanner, { accept: only('/', Number.POSITIVE_INFINITY), word: true }) !== 'word')
    throw new SubstitutionError(name, 'bad substitution');
  if (peek(scanner) === 0x7d) return close(scanner, { is: 'call', name, op, args: [pattern] });
  return close(scanner, { is: 'call', name, op, args: [pattern, argument(scanner, name, depth, notClosing, true)] });
}

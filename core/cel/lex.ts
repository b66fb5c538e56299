import { CelSyntaxError } from './syntax.ts';
import { readText } from './text-literal.ts';

export type Token = Readonly<{ at: number }> &
  (
    | Readonly<{ is: 'name' | 'mark'; text: string }>
    | Readonly<{ is: 'text'; value: string }>
    | Readonly<{ is: 'bytes'; value: Uint8Array }>
    | Readonly<{ is: 'int' | 'uint'; digits: string }>
    | Readonly<{ is: 'double'; value: number }>
    | Readonly<{ is: 'end' }>
  );

const BLANK = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER =
  /0x([0-9a-fA-F]+)(u|U)?|([0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|([0-9]+)(u|U)?/y;
const TEXT = /[rRbB]{0,2}["']/y;
const MARK = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;

/** The tokens of an expression, with one of `end` after them. Throws CelSyntaxError. Pure. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length; ) {
    const blank = match(BLANK, source, at);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    const { token, length } = tokenAt(source, at);
    tokens.push(token);
    at += length;
  }
  return [...tokens, { is: 'end', at: source.length }];
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

function tokenAt(source: string, at: number): Readonly<{ token: Token; length: number }> {
  const quote = match(TEXT, source, at);
  if (quote !== null && isPrefix(quote[0])) {
    const { value, length } = readText(source, at, quote[0]);
    return { token: typeof value === 'string' ? { is: 'text', value, at } : { is: 'bytes', value, at }, length };
  }
  const number = match(NUMBER, source, at);
  if (number !== null) return { token: numberOf(number, at), length: number[0].length };
  const name = match(NAME, source, at);
  if (name !== null) return { token: { is: 'name', text: name[0], at }, length: name[0].length };
  const mark = match(MARK, source, at);
  if (mark !== null) return { token: { is: 'mark', text: mark[0], at }, length: mark[0].length };
  throw new CelSyntaxError(`unexpected character ${JSON.stringify(String.fromCodePoint(source.codePointAt(at) ?? 0))}`, at);
}

function isPrefix(opening: string): boolean {
  const letters = opening.slice(0, -1).toLowerCase();
  return letters === '' || letters === 'r' || letters === 'b' || letters === 'rb' || letters === 'br';
}

function numberOf([, hex, hexUnsigned, double, decimal, unsigned]: RegExpExecArray, at: number): Token {
  if (double !== undefined) return { is: 'double', value: Number(double), at };
  const digits = hex === undefined ? (decimal ?? '0') : `0x${hex}`;
  return { is: (hex === undefined ? unsigned : hexUnsigned) === undefined ? 'int' : 'uint', digits, at };
}

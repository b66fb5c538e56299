import { type Token, tokensOf } from './lex.ts';
import { macroOf } from './macros.ts';
import { CelSyntaxError, MAX_DEPTH, MAX_LENGTH, MAX_NODES, type Node } from './syntax.ts';

const RESERVED: ReadonlySet<string> = Object.freeze(
  new Set([
    ...['as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace'],
    ...['return', 'var', 'void', 'while', 'in', 'true', 'false', 'null'],
  ]),
);
const LEVELS: readonly (readonly string[])[] = Object.freeze([
  ['<', '<=', '>', '>=', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

type Reader = Readonly<{
  /** The token that comes next. */
  peek(ahead?: number): Token;
  next(): Token;
  take(mark: string): boolean;
  expect(mark: string): void;
  /** Counts a node and gives it back. */
  node<T extends Node>(node: T): T;
  /** Runs one level deeper. */
  nested<T>(work: () => T): T;
}>;

/** The syntax tree of an expression, macros expanded. Throws CelSyntaxError with the position. Pure. */
export function parseCel(source: string): Node {
  if (source.length > MAX_LENGTH) throw new CelSyntaxError(`it is longer than ${MAX_LENGTH} characters`, MAX_LENGTH);
  const reader = readerOf(tokensOf(source));
  const node = expression(reader);
  const rest = reader.peek();
  if (rest.is !== 'end') throw unexpected(rest);
  return node;
}

function readerOf(tokens: readonly Token[]): Reader {
  let index = 0;
  let nodes = 0;
  let depth = 0;
  const end: Token = { is: 'end', at: 0 };
  const peek = (ahead = 0): Token => tokens[Math.min(index + ahead, tokens.length - 1)] ?? end;
  const take = (mark: string): boolean => {
    if (!isMark(peek(), mark)) return false;
    index += 1;
    return true;
  };
  return {
    peek,
    take,
    next: () => {
      const token = peek();
      index += 1;
      return token;
    },
    expect: (mark) => {
      if (!take(mark)) throw unexpected(peek(), `'${mark}'`);
    },
    node: (node) => {
      nodes += 1;
      if (nodes > MAX_NODES) throw new CelSyntaxError(`it has more than ${MAX_NODES} parts`, node.at);
      return node;
    },
    nested: (work) => {
      depth += 1;
      if (depth > MAX_DEPTH) throw new CelSyntaxError(`it is nested deeper than ${MAX_DEPTH}`, peek().at);
      try {
        return work();
      } finally {
        depth -= 1;
      }
    },
  };
}

function isMark(token: Token, text: string): boolean {
  return (token.is === 'mark' || token.is === 'name') && token.text === text;
}

function unexpected(token: Token, wanted?: string): CelSyntaxError {
  const shown = token.is === 'end' ? 'end of the expression' : 'text' in token ? `'${token.text}'` : 'literal';
  return new CelSyntaxError(`unexpected ${shown}${wanted === undefined ? '' : `, expected ${wanted}`}`, token.at);
}

function expression(reader: Reader): Node {
  return reader.nested(() => {
    const test = logic(reader, '||', () => logic(reader, '&&', () => binary(reader, 0)));
    const { at } = reader.peek();
    if (!reader.take('?')) return test;
    const yes = logic(reader, '||', () => logic(reader, '&&', () => binary(reader, 0)));
    reader.expect(':');
    return reader.node({ is: 'choice', test, yes, no: expression(reader), at });
  });
}

/** Long chains are balanced, so that a tree's depth stays small. */
function logic(reader: Reader, operator: '&&' | '||', operand: () => Node): Node {
  const terms = [operand()];
  while (isMark(reader.peek(), operator)) {
    reader.next();
    terms.push(operand());
  }
  const balance = (from: number, to: number): Node => {
    const [first] = terms.slice(from, from + 1);
    if (to - from === 1 && first !== undefined) return first;
    const middle = from + Math.ceil((to - from) / 2);
    const left = balance(from, middle);
    return reader.node({ is: 'logic', operator, left, right: balance(middle, to), at: left.at });
  };
  return balance(0, terms.length);
}

function binary(reader: Reader, level: number): Node {
  const operators = LEVELS[level];
  if (operators === undefined) return unary(reader);
  let left = binary(reader, level + 1);
  for (let links = 0; ; links += 1) {
    const token = reader.peek();
    const operator = operators.find((one) => isMark(token, one));
    if (operator === undefined) return left;
    if (links >= MAX_DEPTH) throw new CelSyntaxError(`more than ${MAX_DEPTH} operators in a row`, token.at);
    reader.next();
    left = reader.node({ is: 'call', name: `_${operator}_`, target: null, args: [left, binary(reader, level + 1)], at: token.at });
  }
}

function unary(reader: Reader): Node {
  const token = reader.peek();
  if (isMark(token, '!') || isMark(token, '-')) {
    reader.next();
    const operator = 'text' in token ? token.text : '';
    const following = reader.peek();
    if (operator === '-' && (following.is === 'int' || following.is === 'double'))
      return member(reader, negative(reader, reader.next(), token.at));
    return reader.nested(() => reader.node({ is: 'call', name: `${operator}_`, target: null, args: [unary(reader)], at: token.at }));
  }
  return member(reader, primary(reader));
}

function negative(reader: Reader, token: Token, at: number): Node {
  if (token.is === 'double') return reader.node({ is: 'literal', value: -token.value, at });
  return reader.node({ is: 'literal', value: token.is === 'int' ? integer(token.digits, -1n, at) : 0n, at });
}

function integer(digits: string, sign: 1n | -1n, at: number): bigint {
  const value = BigInt(digits);
  if (value > (sign === 1n ? MAX_INT : MAX_INT + 1n)) throw new CelSyntaxError(`${digits} does not fit into 64 bits`, at);
  return sign * value;
}

function member(reader: Reader, first: Node): Node {
  let node = first;
  for (let links = 0; ; links += 1) {
    const { at } = reader.peek();
    if (links > MAX_DEPTH) throw new CelSyntaxError(`more than ${MAX_DEPTH} parts in a row`, at);
    if (reader.take('.')) node = selected(reader, node, at);
    else if (reader.take('[')) {
      const optional = reader.take('?');
      const key = expression(reader);
      reader.expect(']');
      node = reader.node({ is: 'index', of: node, key, optional, at });
    } else return node;
  }
}

function selected(reader: Reader, of: Node, at: number): Node {
  const optional = reader.take('?');
  const name = reader.next();
  // A reserved word is a good field name, as in Go; only `in`, `true`, `false` and `null` are tokens of their own.
  if (name.is !== 'name' || ['in', 'true', 'false', 'null'].includes(name.text)) throw unexpected(name, 'the name of a field');
  if (optional || !reader.take('(')) return reader.node({ is: 'select', of, field: name.text, optional, at: name.at });
  const args = list(reader, ')', () => expression(reader));
  return reader.node(macroOf(name.text, of, args, name.at) ?? { is: 'call', name: name.text, target: of, args, at });
}

function list<T>(reader: Reader, close: string, read: () => T): readonly T[] {
  const items: T[] = [];
  while (!reader.take(close)) {
    if (items.length > 0) {
      reader.expect(',');
      // A trailing comma is allowed in list and map literals alone.
      if (close !== ')' && reader.take(close)) break;
    }
    items.push(read());
  }
  return items;
}

function primary(reader: Reader): Node {
  const token = reader.next();
  const { at } = token;
  switch (token.is) {
    case 'text':
    case 'bytes':
    case 'double':
      return reader.node({ is: 'literal', value: token.value, at });
    case 'int':
      return reader.node({ is: 'literal', value: integer(token.digits, 1n, at), at });
    case 'uint':
      if (BigInt(token.digits) > MAX_UINT) throw new CelSyntaxError(`${token.digits} does not fit into 64 bits`, at);
      return reader.node({ is: 'literal', value: { is: 'uint', value: BigInt(token.digits) }, at });
    case 'name':
      return named(reader, token.text, at);
    case 'mark':
      return marked(reader, token, at);
    case 'end':
      throw unexpected(token);
  }
}

function named(reader: Reader, name: string, at: number): Node {
  if (name === 'true' || name === 'false') return reader.node({ is: 'literal', value: name === 'true', at });
  if (name === 'null') return reader.node({ is: 'literal', value: null, at });
  if (RESERVED.has(name)) throw new CelSyntaxError(`'${name}' is a reserved word`, at);
  if (!reader.take('(')) return reader.node({ is: 'name', name, at });
  const args = list(reader, ')', () => expression(reader));
  return reader.node(macroOf(name, null, args, at) ?? { is: 'call', name, target: null, args, at });
}

function marked(reader: Reader, token: Token, at: number): Node {
  const text = 'text' in token ? token.text : '';
  if (text === '(') {
    const inner = expression(reader);
    reader.expect(')');
    return inner;
  }
  if (text === '[') {
    const items = list(reader, ']', () => ({ optional: reader.take('?'), value: expression(reader) }));
    return reader.node({ is: 'list', items, at });
  }
  if (text === '{') {
    const entries = list(reader, '}', () => {
      const optional = reader.take('?');
      const key = expression(reader);
      reader.expect(':');
      return { optional, key, value: expression(reader) };
    });
    return reader.node({ is: 'map', entries, at });
  }
  // A leading dot means the outermost name.
  const name = reader.peek();
  if (text === '.' && name.is === 'name') {
    reader.next();
    return named(reader, name.text, name.at);
  }
  throw unexpected(token);
}

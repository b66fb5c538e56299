import { functions } from './functions.ts';
import { TemplateError, type Token, tokensOf } from './tokens.ts';

export type Operand =
  | Readonly<{ is: 'field'; names: readonly string[] }>
  | Readonly<{ is: 'variable'; name: string; names: readonly string[] }>
  | Readonly<{ is: 'literal'; value: string | number | boolean }>
  | Readonly<{ is: 'pipeline'; pipeline: Pipeline }>;
export type Command = Readonly<{ call: string | null; operands: readonly Operand[] }>;
export type Pipeline = readonly Command[];
export type Node =
  | Readonly<{ is: 'text'; text: string }>
  | Readonly<{ is: 'print'; pipeline: Pipeline }>
  | Readonly<{ is: 'set'; name: string; declares: boolean; pipeline: Pipeline }>
  | Readonly<{ is: 'if' | 'with'; pipeline: Pipeline; body: readonly Node[]; otherwise: readonly Node[] }>
  | Readonly<{
      is: 'range';
      key: string | null;
      value: string | null;
      pipeline: Pipeline;
      body: readonly Node[];
      otherwise: readonly Node[];
    }>;

const MAX_TEMPLATE = 16_384;
const MAX_NODES = 2_000;
const MAX_DEPTH = 32;
const COMMENT = /^\s*\/\*[\s\S]*\*\/\s*$/;

type Piece = Readonly<{ is: 'text'; text: string }> | Readonly<{ is: 'action'; tokens: readonly Token[]; source: string }>;

/**
 * The nodes of a template in the subset of Go's text/template that Flux's documentation of commit messages shows: fields, variables, literals, pipelines,
 * `if`, `else`, `else if`, `with`, `range`, `end`, comments, trim markers, and the functions of `functions.ts`. Throws TemplateError for anything else. Pure.
 */
export function parseTemplate(source: string): readonly Node[] {
  if (source.length > MAX_TEMPLATE) throw new TemplateError(`the template is longer than ${MAX_TEMPLATE} characters`);
  const pieces = piecesOf(source);
  if (pieces.length > MAX_NODES) throw new TemplateError(`the template has more than ${MAX_NODES} parts`);
  const state = { pieces, at: 0 };
  const nodes = parseList(state, 0);
  if (state.at < pieces.length) throw new TemplateError(`unexpected {{${shown(pieces[state.at])}}}`);
  return nodes;
}

function piecesOf(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let trims = false;
  for (let at = 0; ; ) {
    const open = source.indexOf('{{', at);
    const close = open < 0 ? -1 : closeOf(source, open + 2);
    const inside = open < 0 ? '' : source.slice(open + 2, close);
    const [trimsBefore, trimsAfter] = [/^-\s/.test(inside), /\s-$/.test(inside)];
    const whole = source.slice(at, open < 0 ? source.length : open);
    const started = trims ? whole.trimStart() : whole;
    const text = trimsBefore ? started.trimEnd() : started;
    if (text !== '') pieces.push({ is: 'text', text });
    if (open < 0) return pieces;
    const action = inside.slice(trimsBefore ? 1 : 0, trimsAfter ? -1 : inside.length);
    if (!COMMENT.test(action)) pieces.push({ is: 'action', tokens: tokensOf(action), source: action.trim() });
    trims = trimsAfter;
    at = close + 2;
  }
}

/** Where the `}}` of an action is that began before `from`; quotes and comments may hold one. */
function closeOf(source: string, from: number): number {
  for (let at = from; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (source.startsWith('}}', at)) return at;
    if (char === '"') at = endOf(source, at, (index) => source.charAt(index) === '"' && source.charAt(index - 1) !== '\\');
    else if (char === '`') at = endOf(source, at, (index) => source.charAt(index) === '`');
    else if (source.startsWith('/*', at)) at = endOf(source, at + 1, (index) => source.startsWith('*/', index)) + 1;
  }
  throw new TemplateError('an action {{ is not closed by }}');
}

function endOf(source: string, open: number, isEnd: (index: number) => boolean): number {
  for (let at = open + 1; at < source.length; at += 1) if (isEnd(at)) return at;
  throw new TemplateError('an action {{ is not closed by }}');
}

type State = { readonly pieces: readonly Piece[]; at: number };

/** Up to the `else` or `end` that the caller reads. */
function parseList(state: State, depth: number): readonly Node[] {
  if (depth > MAX_DEPTH) throw new TemplateError(`nested deeper than ${MAX_DEPTH} levels`);
  const nodes: Node[] = [];
  for (let piece = state.pieces[state.at]; piece !== undefined; piece = state.pieces[state.at]) {
    if (piece.is === 'text') nodes.push(piece);
    else {
      const word = wordOf(piece);
      if (word === 'end' || word === 'else') return nodes;
      if (word === 'if' || word === 'with' || word === 'range') {
        nodes.push(parseBlock(state, word, piece.tokens.slice(1), depth));
        continue;
      }
      nodes.push(parseSimple(piece.tokens, piece.source));
    }
    state.at += 1;
  }
  return nodes;
}

/** `tokens`: what stands behind the key word. Leaves `at` behind the block's `end`. */
function parseBlock(state: State, word: 'if' | 'with' | 'range', tokens: readonly Token[], depth: number): Node {
  const source = shown(state.pieces[state.at]);
  state.at += 1;
  const body = parseList(state, depth + 1);
  const otherwise = parseElse(state, word, depth);
  if (word !== 'range') return { is: word, pipeline: parsePipeline(tokens, source), body, otherwise };
  const declared = declarationIn(tokens, 2);
  const [first = null, second = null] = declared.names;
  const [key, value] = declared.names.length === 2 ? [first, second] : [null, first];
  return { is: 'range', key, value, pipeline: parsePipeline(declared.rest, source), body, otherwise };
}

function parseElse(state: State, word: string, depth: number): readonly Node[] {
  const piece = state.pieces[state.at];
  if (piece?.is !== 'action') throw new TemplateError(`{{${word}}} has no {{end}}`);
  if (wordOf(piece) === 'end') {
    state.at += 1;
    return [];
  }
  const following = piece.tokens[1];
  if (following?.is === 'word' && (following.text === 'if' || following.text === 'with'))
    return [parseBlock(state, following.text, piece.tokens.slice(2), depth + 1)];
  if (piece.tokens.length > 1) throw new TemplateError(`{{${piece.source}}} is not understood`);
  state.at += 1;
  const otherwise = parseList(state, depth + 1);
  const end = state.pieces[state.at];
  if (end?.is !== 'action' || wordOf(end) !== 'end') throw new TemplateError(`{{${word}}} has no {{end}}`);
  state.at += 1;
  return otherwise;
}

function parseSimple(tokens: readonly Token[], source: string): Node {
  const [first, second] = tokens;
  if (first?.is === 'variable' && first.names.length === 0 && second?.is === 'mark' && (second.text === ':=' || second.text === '='))
    return { is: 'set', name: first.name, declares: second.text === ':=', pipeline: parsePipeline(tokens.slice(2), source) };
  return { is: 'print', pipeline: parsePipeline(tokens, source) };
}

/** `$a := …` or `$a, $b := …` at the start of a range. */
function declarationIn(tokens: readonly Token[], most: number): Readonly<{ names: readonly string[]; rest: readonly Token[] }> {
  const sign = tokens.findIndex((one) => one.is === 'mark' && one.text === ':=');
  if (sign < 0) return { names: [], rest: tokens };
  const names = tokens.slice(0, sign).flatMap((one) => (one.is === 'variable' && one.names.length === 0 ? [one.name] : []));
  if (names.length === 0 || names.length > most || sign !== names.length * 2 - 1)
    throw new TemplateError('a declaration of variables is not understood');
  return { names, rest: tokens.slice(sign + 1) };
}

function parsePipeline(tokens: readonly Token[], source: string): Pipeline {
  const commands: Command[] = [];
  for (const part of splitAtPipes(tokens)) {
    const command = parseCommand(part, source);
    if (commands.length > 0 && command.call === null) throw new TemplateError(`{{${source}}}: what stands behind | must be a function`);
    commands.push(command);
  }
  return commands;
}

function splitAtPipes(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let open = 0;
  for (const token of tokens) {
    if (token.is === 'mark' && token.text === '(') open += 1;
    if (token.is === 'mark' && token.text === ')') open -= 1;
    if (open === 0 && token.is === 'mark' && token.text === '|') parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function parseCommand(tokens: readonly Token[], source: string): Command {
  const [first] = tokens;
  if (first === undefined) throw new TemplateError(`{{${source}}} has an empty part`);
  const call = first.is === 'word' ? first.text : null;
  if (call !== null && !Object.hasOwn(functions, call))
    throw new TemplateError(
      `{{${source}}}: '${call}' is not supported; there are ${Object.keys(functions).join(', ')}, and if, else, with, range, end`,
    );
  const operands = parseOperands(call === null ? tokens : tokens.slice(1), source);
  if (call === null && operands.length > 1) throw new TemplateError(`{{${source}}}: only a function takes arguments`);
  return { call, operands };
}

function parseOperands(tokens: readonly Token[], source: string): readonly Operand[] {
  const operands: Operand[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token?.is === 'field' || token?.is === 'variable' || token?.is === 'literal') operands.push(token);
    else if (token?.is === 'mark' && token.text === '(') {
      const close = closing(tokens, at);
      if (close < 0) throw new TemplateError(`{{${source}}}: a parenthesis is not closed`);
      operands.push({ is: 'pipeline', pipeline: parsePipeline(tokens.slice(at + 1, close), source) });
      at = close;
    } else throw new TemplateError(`{{${source}}} is not understood`);
  }
  return operands;
}

function closing(tokens: readonly Token[], from: number): number {
  let open = 0;
  return tokens.findIndex((token, index) => {
    if (index < from || token.is !== 'mark') return false;
    if (token.text === '(') open += 1;
    if (token.text === ')') open -= 1;
    return open === 0;
  });
}

function wordOf(piece: Piece): string | null {
  const first = piece.is === 'action' ? piece.tokens[0] : undefined;
  return first?.is === 'word' ? first.text : null;
}

function shown(piece: Piece | undefined): string {
  return piece?.is === 'action' ? piece.source : '';
}

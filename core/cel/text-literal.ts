import { CelSyntaxError } from './syntax.ts';

type Read = Readonly<{ value: string | Uint8Array; length: number }>;

const ESCAPES: Readonly<Record<string, string>> = Object.freeze({
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
});
const HEX_LENGTH: Readonly<Record<string, number>> = Object.freeze({ x: 2, X: 2, u: 4, U: 8 });

/** A text or bytes literal whose opening (prefix and first quote) stands at an offset. Throws CelSyntaxError. Pure. */
export function readText(source: string, at: number, opening: string): Read {
  const quote = opening.slice(-1);
  const letters = opening.slice(0, -1).toLowerCase();
  const start = at + opening.length - 1;
  const triple = source.startsWith(quote.repeat(3), start);
  const close = triple ? quote.repeat(3) : quote;
  const parts: Uint8Array[] = [];
  let text = '';
  const isBytes = letters.includes('b');
  const flush = (): void => {
    parts.push(new TextEncoder().encode(text));
    text = '';
  };
  for (let index = start + close.length; index < source.length; ) {
    if (source.startsWith(close, index)) {
      flush();
      const length = index + close.length - at;
      return { value: isBytes ? join(parts) : new TextDecoder().decode(join(parts)), length };
    }
    const letter = source.charAt(index);
    if (!triple && (letter === '\n' || letter === '\r')) break;
    if (letter !== '\\' || letters.includes('r')) {
      text += letter;
      index += 1;
      continue;
    }
    const escape = escapeAt(source, index, isBytes);
    if (escape.byte === null) text += escape.text;
    else {
      flush();
      parts.push(Uint8Array.of(escape.byte));
    }
    index += escape.length;
  }
  throw new CelSyntaxError('a text that does not end', at);
}

type Escape = Readonly<{ text: string; byte: number | null; length: number }>;

function escapeAt(source: string, at: number, isBytes: boolean): Escape {
  const letter = source.charAt(at + 1);
  const plain = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  if (plain !== undefined) return { text: plain, byte: null, length: 2 };
  const hexLength = Object.hasOwn(HEX_LENGTH, letter) ? HEX_LENGTH[letter] : undefined;
  const digits = hexLength === undefined ? source.slice(at + 1, at + 4) : source.slice(at + 2, at + 2 + hexLength);
  const isValid = hexLength === undefined ? /^[0-3][0-7]{2}$/.test(digits) : digits.length === hexLength && /^[0-9a-fA-F]+$/.test(digits);
  if (!isValid) throw new CelSyntaxError(`unknown escape \\${letter}`, at);
  const code = Number.parseInt(digits, hexLength === undefined ? 8 : 16);
  const length = hexLength === undefined ? 4 : 2 + hexLength;
  if (isBytes) {
    if (letter === 'u' || letter === 'U') throw new CelSyntaxError(`\\${letter} is for texts, not for bytes`, at);
    return { text: '', byte: code, length };
  }
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new CelSyntaxError(`\\${letter}${digits} is no character`, at);
  return { text: String.fromCodePoint(code), byte: null, length };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

import type { ByteText } from './bytes.ts';
import { runeAt } from './bytes.ts';

export type Token = 'end' | 'word' | 'open' | 'close' | 'other';
/** Whether a character belongs to the word; `length` is the word's length in bytes with it. */
export type Accept = (point: number, length: number) => boolean;
export type ScanMode = Readonly<{ accept: Accept; word?: boolean; open?: boolean; close?: boolean; escape?: 'dollar' | 'all' }>;

const DOLLAR = 0x24;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;

/** A position in a text; `word` is what the last scan took, without the characters that only escaped others. */
export type Scanner = { readonly text: ByteText; at: number; word: ByteText };

/** The next character's code, or 0 at the end. A zero byte ends the text, as it does for Flux (YAML cannot hold one). */
export function peek(scanner: Scanner): number {
  return scanner.at < scanner.text.length ? runeAt(scanner.text, scanner.at).point : 0;
}

export function scan(scanner: Scanner, mode: ScanMode): Token {
  scanner.word = '';
  const first = peek(scanner);
  if (first === 0) return 'end';
  if (mode.open && isOpen(scanner)) {
    scanner.at += 2;
    return 'open';
  }
  if (mode.close && first === BRACE_CLOSE) {
    scanner.at += 1;
    return 'close';
  }
  return mode.word && scanWord(scanner, mode) ? 'word' : 'other';
}

function isOpen(scanner: Scanner): boolean {
  return scanner.text.charCodeAt(scanner.at) === DOLLAR && scanner.text.charCodeAt(scanner.at + 1) === BRACE_OPEN;
}

function scanWord(scanner: Scanner, mode: ScanMode): boolean {
  const parts: ByteText[] = [];
  let length = 0;
  let from = scanner.at;
  while (peek(scanner) !== 0) {
    if (length > 0 && mode.open && isOpen(scanner)) break;
    const { point, width } = runeAt(scanner.text, scanner.at);
    if (isEscape(scanner, mode, point)) {
      // The escaping character goes, the escaped one stays, whatever it is.
      parts.push(scanner.text.slice(from, scanner.at));
      from = scanner.at + 1;
      scanner.at += 2;
      length += 1;
      continue;
    }
    if (!mode.accept(point, length + width)) break;
    scanner.at += width;
    length += width;
  }
  parts.push(scanner.text.slice(from, scanner.at));
  scanner.word = parts.join('');
  return length > 0;
}

function isEscape(scanner: Scanner, mode: ScanMode, point: number): boolean {
  if (mode.escape === undefined) return false;
  const next = scanner.text.charCodeAt(scanner.at + 1);
  if (point === DOLLAR) return next === DOLLAR;
  return point === BACKSLASH && mode.escape === 'all' && (next === SLASH || next === BACKSLASH);
}

import type { ByteText } from './bytes.ts';
import { runeAt } from './bytes.ts';

/** Counts work; a pattern against a long value is quadratic, so that the work of one object is bounded. */
export type Budget = { steps: number; outputBytes: number };

export class BudgetError extends Error {}
class BadPatternError extends Error {}

export function spend(budget: Budget, steps: number): void {
  budget.steps -= steps;
  if (budget.steps < 0) throw new BudgetError('the patterns take too much work');
}

/**
 * Removes the shortest or longest prefix that the pattern matches. The pattern is Go's path.Match with one change of Flux's: `*` also crosses `/`.
 * A broken pattern changes nothing, and neither does an empty match.
 */
export function trimPrefix(value: ByteText, pattern: ByteText, which: 'shortest' | 'longest', budget: Budget): ByteText {
  let cut = 0;
  try {
    for (let length = value.length; length > 0; length -= 1) {
      if (!matches(pattern, value.slice(0, length), budget)) continue;
      cut = length;
      if (which === 'longest') break;
    }
  } catch (error) {
    if (error instanceof BadPatternError) return value;
    throw error;
  }
  return value.slice(cut);
}

function matches(wholePattern: ByteText, wholeName: ByteText, budget: Budget): boolean {
  let pattern = wholePattern;
  let name = wholeName;
  next: while (pattern.length > 0) {
    const { star, chunk, rest } = firstChunk(pattern);
    pattern = rest;
    if (star && chunk === '') return true;
    const after = matchChunk(chunk, name, budget);
    if (after !== null && (after.length === 0 || pattern.length > 0)) {
      name = after;
      continue;
    }
    if (!star) return false;
    for (let skip = 1; skip <= name.length; skip += 1) {
      const later = matchChunk(chunk, name.slice(skip), budget);
      if (later === null || (pattern.length === 0 && later.length > 0)) continue;
      name = later;
      continue next;
    }
    return false;
  }
  return name.length === 0;
}

function firstChunk(pattern: ByteText): Readonly<{ star: boolean; chunk: ByteText; rest: ByteText }> {
  let start = 0;
  while (pattern[start] === '*') start += 1;
  let inRange = false;
  let end = start;
  for (; end < pattern.length; end += 1) {
    const character = pattern[end];
    if (character === '\\') end += end + 1 < pattern.length ? 1 : 0;
    else if (character === '[') inRange = true;
    else if (character === ']') inRange = false;
    else if (character === '*' && !inRange) break;
  }
  return { star: start > 0, chunk: pattern.slice(start, end), rest: pattern.slice(end) };
}

/** What is left of the name after the chunk, or null when it does not match. */
function matchChunk(chunk: ByteText, name: ByteText, budget: Budget): ByteText | null {
  let at = 0;
  let index = 0;
  spend(budget, 1);
  while (index < chunk.length) {
    spend(budget, 1);
    if (at >= name.length) return null;
    const character = chunk[index];
    if (character === '[') {
      const { point, width } = runeAt(name, at);
      at += width;
      const range = inClass(chunk, index + 1, point);
      if (!range.matches) return null;
      index = range.next;
      continue;
    }
    if (character === '?') {
      at += runeAt(name, at).width;
      index += 1;
      continue;
    }
    if (character === '\\') index += 1;
    if (index >= chunk.length) throw new BadPatternError('a backslash at the end');
    if (chunk[index] !== name[at]) return null;
    at += 1;
    index += 1;
  }
  return name.slice(at);
}

function inClass(chunk: ByteText, start: number, point: number): Readonly<{ matches: boolean; next: number }> {
  let index = start;
  const negated = chunk[index] === '^';
  if (negated) index += 1;
  let found = false;
  for (let ranges = 0; ; ranges += 1) {
    if (chunk[index] === ']' && ranges > 0) return { matches: found !== negated, next: index + 1 };
    const low = classCharacter(chunk, index);
    index = low.next;
    let high = low.point;
    if (chunk[index] === '-') {
      const upper = classCharacter(chunk, index + 1);
      high = upper.point;
      index = upper.next;
    }
    if (low.point <= point && point <= high) found = true;
  }
}

function classCharacter(chunk: ByteText, start: number): Readonly<{ point: number; next: number }> {
  const first = chunk[start];
  if (first === undefined || first === '-' || first === ']') throw new BadPatternError('a broken class');
  const index = first === '\\' ? start + 1 : start;
  if (index >= chunk.length) throw new BadPatternError('a broken class');
  const { point, width } = runeAt(chunk, index);
  if ((point === 0xfffd && width === 1) || index + width >= chunk.length) throw new BadPatternError('a broken class');
  return { point, next: index + width };
}

/**
 * Go's path/filepath.Match for one name: `*` (no slash), `?`, `[a-z]`, `[^a]`, `\x`. Null for a malformed pattern, as soon as the
 * match gets that far. Works on code points; linear in pattern times name, so no pattern is slow. Pure.
 */
export function matchesGlob(pattern: string, name: string): boolean | null {
  const wants = tokens(pattern);
  if (wants === null) return null;
  const text = Array.from(name);
  let reachable = new Set([0]);
  for (const want of wants) {
    const next = new Set<number>();
    if (want === 'any') {
      const first = Math.min(...reachable);
      for (let at = first; at <= text.length; at += 1) {
        next.add(at);
        if (text[at] === '/') break;
      }
    } else {
      for (const at of reachable) {
        const character = text[at];
        if (character !== undefined && want(character)) next.add(at + 1);
      }
    }
    if (next.size === 0) return false;
    reachable = next;
  }
  return reachable.has(text.length);
}

type Token = 'any' | ((character: string) => boolean);

function tokens(pattern: string): readonly Token[] | null {
  const characters = Array.from(pattern);
  const found: Token[] = [];
  for (let at = 0; at < characters.length; ) {
    const character = characters[at] ?? '';
    if (character === '*') {
      found.push('any');
      at += 1;
    } else if (character === '?') {
      found.push((one) => one !== '/');
      at += 1;
    } else if (character === '[') {
      const set = readSet(characters, at + 1);
      if (set === null) return null;
      found.push(set.token);
      at = set.next;
    } else {
      const plain = character === '\\' ? characters[at + 1] : character;
      if (plain === undefined) return null;
      found.push((one) => one === plain);
      at += character === '\\' ? 2 : 1;
    }
  }
  return found;
}

function readSet(characters: readonly string[], start: number): Readonly<{ token: Token; next: number }> | null {
  const negated = characters[start] === '^';
  const ranges: (readonly [number, number])[] = [];
  let at = negated ? start + 1 : start;
  while (characters[at] !== ']' || ranges.length === 0) {
    const low = readMember(characters, at);
    if (low === null) return null;
    let high = low;
    if (characters[low.next] === '-') {
      const upper = readMember(characters, low.next + 1);
      if (upper === null) return null;
      high = upper;
    }
    ranges.push([low.value, high.value]);
    at = high.next;
  }
  return { token: (one) => ranges.some(([low, high]) => isBetween(one, low, high)) !== negated, next: at + 1 };
}

function isBetween(character: string, low: number, high: number): boolean {
  const value = character.codePointAt(0) ?? -1;
  return low <= value && value <= high;
}

function readMember(characters: readonly string[], at: number): Readonly<{ value: number; next: number }> | null {
  const first = characters[at];
  if (first === undefined || first === '-' || first === ']') return null;
  const member = first === '\\' ? characters[at + 1] : first;
  const next = at + (first === '\\' ? 2 : 1);
  const value = member?.codePointAt(0);
  // Go refuses a set that is not closed.
  return value === undefined || next >= characters.length ? null : { value, next };
}

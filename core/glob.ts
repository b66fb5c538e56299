/** A pattern for paths, as the doublestar library of Flux's source-watcher reads it: `*`, `?`, `[…]`, `{a,b}`, `**` for any folders, and `\` before a letter that means itself. */
export type Glob = Readonly<{ alternatives: readonly (readonly Segment[])[] }>;

type Token =
  | Readonly<{ is: 'letter'; letter: string }>
  | Readonly<{ is: 'any' }>
  | Readonly<{ is: 'many' }>
  | Readonly<{ is: 'class'; not: boolean; ranges: readonly (readonly [from: string, to: string])[] }>;
type Segment = 'folders' | readonly Token[];

/** As upstream: each comma in a `{}` group may double the work. */
const MAX_COMMAS = 20;
const MAX_ALTERNATIVES = 256;

/** The pattern, or what is wrong with it. Pure. */
export function parseGlob(text: string): Glob | string {
  const expanded = expand(text);
  if (typeof expanded === 'string') return expanded;
  const alternatives: Segment[][] = [];
  for (const one of expanded) {
    const segments: Segment[] = [];
    for (const part of one.split('/')) {
      const tokens = part === '**' ? 'folders' : tokensOf(part);
      if (typeof tokens === 'string' && tokens !== 'folders') return tokens;
      segments.push(tokens === 'folders' ? 'folders' : tokens);
    }
    alternatives.push(segments);
  }
  return { alternatives };
}

/** Whether a path of names matches as a whole. Pure; the work is at most the product of both lengths for each alternative. */
export function isGlobMatch({ alternatives }: Glob, path: string): boolean {
  const names = path.split('/');
  return alternatives.some((segments) => matchesFrom(segments, names));
}

/** True for a text that is more than a plain path (upstream looks at these letters alone). */
export function hasGlob(text: string): boolean {
  return /[*?[\]]/.test(text);
}

function expand(text: string): readonly string[] | string {
  const commas = commasIn(text);
  if (commas > MAX_COMMAS) return `it has ${commas} alternatives in {} groups, at most ${MAX_COMMAS} are allowed`;
  let open: readonly string[] = [text];
  const done: string[] = [];
  while (open.length > 0) {
    const next: string[] = [];
    for (const one of open) {
      const group = groupIn(one);
      if (group === 'open') return 'a { has no }';
      if (group === null) done.push(one);
      else for (const choice of group.choices) next.push(group.before + choice + group.after);
    }
    if (done.length + next.length > MAX_ALTERNATIVES) return `it has more than ${MAX_ALTERNATIVES} alternatives`;
    open = next;
  }
  return done;
}

function commasIn(text: string): number {
  let depth = 0;
  let commas = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (letter === '\\') at += 1;
    else if (letter === '{') depth += 1;
    else if (letter === '}') depth = Math.max(0, depth - 1);
    else if (letter === ',' && depth > 0) commas += 1;
  }
  return commas;
}

/** The first group of the text. */
function groupIn(text: string): Readonly<{ before: string; choices: readonly string[]; after: string }> | 'open' | null {
  let start = -1;
  let depth = 0;
  let from = 0;
  const choices: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (letter === '\\') at += 1;
    else if (letter === '{') {
      depth += 1;
      if (depth === 1) {
        start = at;
        from = at + 1;
      }
    } else if (letter === ',' && depth === 1) {
      choices.push(text.slice(from, at));
      from = at + 1;
    } else if (letter === '}' && depth > 0) {
      depth -= 1;
      if (depth === 0) return { before: text.slice(0, start), choices: [...choices, text.slice(from, at)], after: text.slice(at + 1) };
    }
  }
  return depth > 0 ? 'open' : null;
}

function tokensOf(part: string): readonly Token[] | string {
  const tokens: Token[] = [];
  const letters = Array.from(part);
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at] ?? '';
    if (letter === '*') tokens.push({ is: 'many' });
    else if (letter === '?') tokens.push({ is: 'any' });
    else if (letter === '[') {
      const read = classAt(letters, at);
      if (read === null) return 'a [ has no ], or nothing in it';
      tokens.push(read.token);
      at = read.end;
    } else if (letter === '\\') {
      at += 1;
      const escaped = letters[at];
      if (escaped === undefined) return 'it ends with a \\';
      tokens.push({ is: 'letter', letter: escaped });
    } else tokens.push({ is: 'letter', letter });
  }
  return tokens;
}

function classAt(letters: readonly string[], start: number): Readonly<{ token: Token; end: number }> | null {
  let at = start + 1;
  const not = letters[at] === '^' || letters[at] === '!';
  if (not) at += 1;
  const ranges: [string, string][] = [];
  for (; at < letters.length; at += 1) {
    if (letters[at] === ']' && ranges.length > 0) return { token: { is: 'class', not, ranges }, end: at };
    if (letters[at] === '\\') at += 1;
    const from = letters[at];
    if (from === undefined) return null;
    if (letters[at + 1] === '-' && letters[at + 2] !== undefined && letters[at + 2] !== ']') {
      ranges.push([from, letters[at + 2] ?? from]);
      at += 2;
    } else ranges.push([from, from]);
  }
  return null;
}

function matchesFrom(segments: readonly Segment[], names: readonly string[]): boolean {
  // reached[i]: the segments so far match the first i names.
  let reached = names.map((_name, index) => index === 0).concat(names.length === 0);
  for (const segment of segments) {
    const next: boolean[] = Array.from({ length: names.length + 1 }, () => false);
    for (let index = 0; index <= names.length; index += 1) {
      if (segment === 'folders') next[index] = reached[index] === true || (index > 0 && next[index - 1] === true);
      else if (index > 0) next[index] = reached[index - 1] === true && matchesName(segment, names[index - 1] ?? '');
    }
    reached = next;
  }
  return reached[names.length] === true;
}

/** One name against one segment, with a single way back to the last `*`. */
function matchesName(tokens: readonly Token[], name: string): boolean {
  const letters = Array.from(name);
  let [at, token, star, kept] = [0, 0, -1, 0];
  while (at < letters.length) {
    const wanted = tokens[token];
    if (wanted?.is === 'many') {
      star = token;
      kept = at;
      token += 1;
    } else if (wanted !== undefined && isLetterOf(wanted, letters[at] ?? '')) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      token = star + 1;
      kept += 1;
      at = kept;
    } else return false;
  }
  while (tokens[token]?.is === 'many') token += 1;
  return token === tokens.length;
}

function isLetterOf(token: Token, letter: string): boolean {
  if (token.is === 'letter') return token.letter === letter;
  if (token.is !== 'class') return token.is === 'any';
  const code = letter.codePointAt(0) ?? 0;
  return token.ranges.some(([from, to]) => code >= (from.codePointAt(0) ?? 0) && code <= (to.codePointAt(0) ?? 0)) !== token.not;
}

import type { ByteText } from './bytes.ts';
import { fromBytes, fromRunes, runeAt, runesOf, toBytes } from './bytes.ts';
import type { Budget } from './glob.ts';
import { BudgetError, trimPrefix } from './glob.ts';
import type { Call, Part } from './parse.ts';
import { parseTemplate, SubstitutionError } from './parse.ts';

export type EvaluateLimits = Readonly<{ maxOutputBytes: number }>;

const DEFAULT_OPERATORS: ReadonlySet<string> = Object.freeze(new Set(['=', ':-', ':+', ':=', ':?']));
const MAX_STEPS = 20_000_000;
const INTEGER = /^[-+]?[0-9]{1,18}$/;

/**
 * The text with every `${…}` replaced, as fluxcd/pkg/envsubst 1.8.0 does it in strict mode. Throws SubstitutionError, which names the variable and never a
 * value. The size of the result is limited before it is built. Pure.
 */
export function evaluate(text: string, variables: ReadonlyMap<string, string>, limits: EvaluateLimits): string {
  const budget: Budget = { steps: MAX_STEPS, outputBytes: limits.maxOutputBytes };
  const values: ReadonlyMap<ByteText, ByteText> = new Map([...variables].map(([name, value]) => [toBytes(name), toBytes(value)]));
  const done = join(
    parseTemplate(toBytes(text)).map((part) => evaluatePart(part, values, budget)),
    budget,
  );
  const result = fromBytes(done);
  if (result === null) throw new SubstitutionError('', 'the result is not valid UTF-8: an offset cuts a letter in half');
  return result;
}

/** Names of all variables that a text reads, nested ones too: exactly these can change the result. Throws SubstitutionError. */
export function variablesOf(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (part: Part): void => {
    if (part.is === 'text') return;
    names.add(fromBytes(part.name) ?? part.name);
    part.args.forEach(visit);
  };
  parseTemplate(toBytes(text)).forEach(visit);
  return names;
}

function evaluatePart(part: Part, values: ReadonlyMap<ByteText, ByteText>, budget: Budget): ByteText {
  if (part.is === 'text') return part.value;
  const args = part.args.map((arg) => evaluatePart(arg, values, budget));
  const name = fromBytes(part.name) ?? '';
  const value = values.get(part.name);
  if (value === undefined && !DEFAULT_OPERATORS.has(part.op))
    throw new SubstitutionError(name, 'the variable is not set and the expression has no default');
  try {
    return apply(part, value ?? '', args, budget);
  } catch (error) {
    if (error instanceof BudgetError) throw new SubstitutionError(name, error.message);
    throw error;
  }
}

function apply(call: Call, value: ByteText, args: readonly ByteText[], budget: Budget): ByteText {
  const [first = '', second = ''] = args;
  switch (call.op) {
    case ',':
      return changeFirst(value, 'lower');
    case ',,':
      return changeAll(value, 'lower');
    case '^':
      return changeFirst(value, 'upper');
    case '^^':
      return changeAll(value, 'upper');
    case '#':
      return args.length === 0 ? String(value.length) : trimPrefix(value, first, 'shortest', budget);
    case '##':
      return trimPrefix(value, first, 'longest', budget);
    case '%':
      return reverse(trimPrefix(reverse(value), reverse(first), 'shortest', budget));
    case '%%':
      return reverse(trimPrefix(reverse(value), reverse(first), 'longest', budget));
    case ':':
      return substring(call, value, args);
    case '/#':
      return args.length === 2 && value.startsWith(first) ? replace(value, first, second, 1, budget) : value;
    case '/%':
      return args.length === 2 && value.endsWith(first) ? value.slice(0, value.length - first.length) + second : value;
    case '/':
      return replace(value, first, second, 1, budget);
    case '//':
      return replace(value, first, second, Number.POSITIVE_INFINITY, budget);
    default:
      return value === '' ? join(args, budget) : value;
  }
}

function join(parts: readonly ByteText[], budget: Budget): ByteText {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  limitOutput(bytes, budget);
  return parts.join('');
}

function limitOutput(bytes: number, budget: Budget): void {
  if (bytes > budget.outputBytes) throw new SubstitutionError('', `the result is larger than ${budget.outputBytes} bytes`);
}

function substring(call: Call, value: ByteText, args: readonly ByteText[]): ByteText {
  const [offsetText = '', lengthText] = args;
  if (!INTEGER.test(offsetText)) return value;
  const offset = Number(offsetText);
  const start = offset < 0 ? Math.max(0, value.length + offset) : offset;
  if (lengthText === undefined) return value.slice(start);
  if (!INTEGER.test(lengthText)) return value;
  const length = Number(lengthText);
  if (length < 0) throw new SubstitutionError(fromBytes(call.name) ?? '', 'a negative length is not supported');
  return value.slice(start, start + length);
}

/** Go's strings.Replace: an empty pattern stands before each letter and at the end. */
function replace(value: ByteText, pattern: ByteText, replacement: ByteText, max: number, budget: Budget): ByteText {
  if (pattern === replacement) return value;
  if (pattern === '') return insert(value, replacement, max, budget);
  const parts: ByteText[] = [];
  let from = 0;
  for (let count = 0; count < max; count += 1) {
    const at = value.indexOf(pattern, from);
    if (at < 0) break;
    parts.push(value.slice(from, at));
    from = at + pattern.length;
  }
  limitOutput(value.length + parts.length * (replacement.length - pattern.length), budget);
  parts.push(value.slice(from));
  return parts.join(replacement);
}

function insert(value: ByteText, replacement: ByteText, max: number, budget: Budget): ByteText {
  if (max === 1) return replacement + value;
  limitOutput(value.length + (value.length + 1) * replacement.length, budget);
  const letters: ByteText[] = [''];
  for (let offset = 0; offset < value.length; ) {
    const { width } = runeAt(value, offset);
    letters.push(value.slice(offset, offset + width));
    offset += width;
  }
  return letters.join(replacement) + replacement;
}

function reverse(value: ByteText): ByteText {
  return fromRunes(runesOf(value).toReversed());
}

function changeFirst(value: ByteText, to: 'lower' | 'upper'): ByteText {
  if (value === '') return value;
  const { point, width } = runeAt(value, 0);
  return fromRunes([changeCase(point, to)]) + value.slice(width);
}

function changeAll(value: ByteText, to: 'lower' | 'upper'): ByteText {
  return fromRunes(runesOf(value).map((point) => changeCase(point, to)));
}

/** One letter stays one letter (Unicode's simple mapping, as in Go): ß has no upper case of its own, and the Greek letters with iota below have one. */
function changeCase(point: number, to: 'lower' | 'upper'): number {
  const letter = String.fromCodePoint(point);
  const changed = to === 'lower' ? letter.toLowerCase() : letter.toUpperCase();
  const result = changed.codePointAt(0) ?? point;
  if (String.fromCodePoint(result) === changed) return result;
  if (point === 0x130) return 0x69;
  if (point >= 0x1f80 && point <= 0x1faf) return point | 8;
  if (point === 0x1fb3 || point === 0x1fc3 || point === 0x1ff3) return point + 9;
  return point;
}

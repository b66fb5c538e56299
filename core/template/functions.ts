import { TemplateError } from './tokens.ts';
import { fieldOf, isTrue, textOf, type Value } from './value.ts';

type Fn = (...args: readonly Value[]) => Value;

/** Functions of Go's text/template and a few reproducible ones of Sprig, in their order of arguments. */
export const functions: Readonly<Record<string, Fn>> = Object.freeze({
  and: (...args) => args.find((one) => !isTrue(one)) ?? need(args.at(-1), 'and'),
  or: (...args) => args.find(isTrue) ?? need(args.at(-1), 'or'),
  not: (one) => !isTrue(need(one, 'not')),
  eq: (first, ...others) => others.some((one) => compare('eq', first, one) === 0),
  ne: (left, right) => compare('ne', left, right) !== 0,
  lt: (left, right) => compare('lt', left, right) < 0,
  le: (left, right) => compare('le', left, right) <= 0,
  gt: (left, right) => compare('gt', left, right) > 0,
  ge: (left, right) => compare('ge', left, right) >= 0,
  len: (one) => lengthOf(need(one, 'len')),
  index: (of, ...keys) => keys.reduce((value, key) => at(value, key), need(of, 'index')),
  print: (...args) => args.map(textOf).join(''),
  printf: (format, ...args) => printf(text(format, 'printf'), args),
  upper: (one) => text(one, 'upper').toUpperCase(),
  lower: (one) => text(one, 'lower').toLowerCase(),
  trim: (one) => text(one, 'trim').trim(),
  trimPrefix: (prefix, one) => withoutPrefix(text(one, 'trimPrefix'), text(prefix, 'trimPrefix')),
  trimSuffix: (suffix, one) => withoutSuffix(text(one, 'trimSuffix'), text(suffix, 'trimSuffix')),
  replace: (from, to, one) => text(one, 'replace').replaceAll(text(from, 'replace'), () => text(to, 'replace')),
  trunc: (count, one) => trunc(Number(count), text(one, 'trunc')),
  default: (fallback, one) => (one !== undefined && isTrue(one) ? one : need(fallback, 'default')),
  quote: (one) => JSON.stringify(text(one, 'quote')),
  contains: (part, one) => text(one, 'contains').includes(text(part, 'contains')),
  hasPrefix: (prefix, one) => text(one, 'hasPrefix').startsWith(text(prefix, 'hasPrefix')),
  hasSuffix: (suffix, one) => text(one, 'hasSuffix').endsWith(text(suffix, 'hasSuffix')),
} satisfies Record<string, Fn>);

function need(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new TemplateError(`${name} needs an argument`);
  return value;
}

function text(value: Value | undefined, name: string): string {
  return textOf(need(value, name));
}

function compare(name: string, left: Value | undefined, right: Value | undefined): number {
  const [a, b] = [need(left, name), need(right, name)];
  if (typeof a === 'object' || typeof a !== typeof b) throw new TemplateError(`${name} compares two texts, two numbers or two truths`);
  if (a === b) return 0;
  return a > b ? 1 : -1;
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return new TextEncoder().encode(value).byteLength;
  if (typeof value === 'object' && value.is === 'list') return value.items.length;
  if (typeof value === 'object' && value.is === 'dict') return value.entries.length;
  throw new TemplateError('len takes a text, a list or a map');
}

function at(value: Value, key: Value): Value {
  if (typeof key === 'number' && typeof value === 'object' && value.is === 'list') {
    const found = value.items[key];
    if (found === undefined) throw new TemplateError(`index ${key} is out of range`);
    return found;
  }
  if (typeof key !== 'string') throw new TemplateError('index takes a number for a list and a text for a map');
  return fieldOf(value, key);
}

function withoutPrefix(one: string, prefix: string): string {
  return one.startsWith(prefix) ? one.slice(prefix.length) : one;
}

function withoutSuffix(one: string, suffix: string): string {
  return suffix !== '' && one.endsWith(suffix) ? one.slice(0, -suffix.length) : one;
}

/** Sprig: a negative count keeps the end. */
function trunc(count: number, one: string): string {
  return count < 0 ? one.slice(Math.max(0, one.length + count)) : one.slice(0, count);
}

function printf(format: string, args: readonly Value[]): string {
  const left = [...args];
  const made = format.replaceAll(/%(.)/g, (_all, verb: string) => {
    if (verb === '%') return '%';
    const value = left.shift();
    if (value === undefined) throw new TemplateError(`printf has too few arguments for ${JSON.stringify(format)}`);
    if (verb === 's' || verb === 'v') return textOf(value);
    if (verb === 'd' && typeof value === 'number') return String(value);
    if (verb === 'q') return JSON.stringify(textOf(value));
    throw new TemplateError(`printf: %${verb} is not supported; there are %s, %v, %d, %q`);
  });
  if (left.length > 0) throw new TemplateError(`printf has too many arguments for ${JSON.stringify(format)}`);
  return made;
}

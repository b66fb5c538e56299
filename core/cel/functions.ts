import type { Patterns } from '#core/ports.ts';
import { equals } from './compare.ts';
import { conversions, isTagged } from './convert.ts';
import { joinTexts, quoteText, textFunctions, textOf } from './strings.ts';
import { isTimePart, timePart } from './times.ts';
import { CelError, type CelList, listOf, none, noOverload, type Purse, type Value } from './values.ts';

export type CallContext = Readonly<{ purse: Purse; patterns: Patterns }>;

/** Functions whose name has a prefix: `base64.encode(…)`. */
export const NAMESPACES: ReadonlySet<string> = Object.freeze(new Set(['optional', 'sets', 'base64', 'strings']));

/** Calls a function that has no target. Throws CelError for one that does not exist or is not for these types. */
export function callFunction(name: string, args: readonly Value[], context: CallContext): Value {
  const [first = null, second = null] = args;
  if (Object.hasOwn(conversions, name)) {
    const convert = conversions[name];
    if (convert === undefined || args.length !== 1) throw noOverload(name, ...args);
    if (typeof first === 'string') context.purse.spend(first.length / 10);
    return convert(first);
  }
  if (name === 'size' && args.length === 1) return sizeOf(first);
  if (name === 'matches' && args.length === 2) return matches(first, second, context);
  if (name === 'optional.none' && args.length === 0) return none;
  return prefixed(name, args, context);
}

function prefixed(name: string, args: readonly Value[], { purse }: CallContext): Value {
  const [first = null, second = null] = args;
  switch (`${name}/${args.length}`) {
    case 'optional.of/1':
      return { is: 'optional', value: first };
    case 'optional.ofNonZeroValue/1':
      return isZero(first) ? none : { is: 'optional', value: first };
    case 'optional.unwrap/1':
      return unwrap(name, first);
    case 'strings.quote/1':
      return quoteText(textOf(name, first));
    case 'base64.encode/1':
      if (!(first instanceof Uint8Array)) throw noOverload(name, first);
      purse.spend(first.length / 10);
      return Buffer.from(first).toString('base64');
    case 'base64.decode/1':
      return decode(textOf(name, first), purse);
    case 'sets.contains/2':
      return containsAll(lists(name, first), lists(name, second), purse);
    case 'sets.equivalent/2':
      return containsAll(lists(name, first), lists(name, second), purse) && containsAll(lists(name, second), lists(name, first), purse);
    case 'sets.intersects/2': {
      const other = lists(name, second);
      return lists(name, first).items.some((one) => other.items.some((each) => equals(one, each, purse)));
    }
    default:
      throw noOverload(name, ...args);
  }
}

/** Calls a method. */
export function callMethod(target: Value, name: string, args: readonly Value[], context: CallContext): Value {
  const [first] = args;
  if (name === 'size' && args.length === 0) return sizeOf(target);
  if (typeof target === 'string') {
    context.purse.spend(target.length / 10);
    if (name === 'matches' && args.length === 1) return matches(target, first ?? null, context);
    if (Object.hasOwn(textFunctions, name) && isArity(name, args.length)) {
      const call = textFunctions[name];
      if (call !== undefined) return call(target, args, context.purse);
    }
  }
  if (isTagged(target, 'list')) {
    if (name === 'join' && args.length <= 1) return joinTexts(target, first, context.purse);
    if (name === 'first' && args.length === 0) return { is: 'optional', value: target.items[0] };
    if (name === 'last' && args.length === 0) return { is: 'optional', value: target.items.at(-1) };
    if (name === 'unwrapOpt' && args.length === 0) return unwrap(name, target);
  }
  if (isTagged(target, 'optional')) return optionalMethod(target, name, args);
  if ((isTagged(target, 'timestamp') || isTagged(target, 'duration')) && isTimePart(name) && args.length <= 1) {
    const part = timePart(name, target, first === undefined ? null : textOf(name, first));
    if (part !== null) return part;
  }
  throw noOverload(name, target, ...args);
}

const ARITY: Readonly<Record<string, readonly [least: number, most: number]>> = Object.freeze({
  lowerAscii: [0, 0],
  upperAscii: [0, 0],
  trim: [0, 0],
  reverse: [0, 0],
  indexOf: [1, 2],
  lastIndexOf: [1, 2],
  substring: [1, 2],
  split: [1, 2],
  replace: [2, 3],
});

function isArity(name: string, count: number): boolean {
  const [least, most] = ARITY[name] ?? [1, 1];
  return count >= least && count <= most;
}

/** `or` and `orValue` are evaluated lazily by the caller; these are the methods that need nothing else. */
function optionalMethod(target: Extract<Value, { is: 'optional' }>, name: string, args: readonly Value[]): Value {
  if (name === 'hasValue' && args.length === 0) return target.value !== undefined;
  if (name !== 'value' || args.length !== 0) throw noOverload(name, target, ...args);
  if (target.value === undefined) throw new CelError('optional.none() dereference');
  return target.value;
}

function sizeOf(value: Value): Value {
  if (typeof value === 'string') return BigInt(Array.from(value).length);
  if (value instanceof Uint8Array) return BigInt(value.length);
  if (isTagged(value, 'list')) return BigInt(value.items.length);
  if (isTagged(value, 'map')) return BigInt(value.entries.size);
  throw noOverload('size', value);
}

function matches(text: Value, pattern: Value, { purse, patterns }: CallContext): Value {
  const [given, wanted] = [textOf('matches', text), textOf('matches', pattern)];
  purse.spend(100 + (given.length * Math.max(1, wanted.length)) / 10);
  const compiled = patterns.compile(wanted);
  if (compiled.is === 'invalid') throw new CelError(`matches: no pattern: ${compiled.message}`);
  return compiled.isIn(given);
}

function lists(name: string, value: Value): CelList {
  if (isTagged(value, 'list')) return value;
  throw noOverload(name, value);
}

function containsAll(list: CelList, wanted: CelList, purse: Purse): boolean {
  return wanted.items.every((one) => list.items.some((each) => equals(each, one, purse)));
}

function unwrap(name: string, value: Value): Value {
  return listOf(
    lists(name, value).items.flatMap((one) => {
      if (!isTagged(one, 'optional')) throw noOverload(name, value);
      return one.value === undefined ? [] : [one.value];
    }),
  );
}

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true;
  if (value instanceof Uint8Array) return value.length === 0;
  if (typeof value !== 'object') return false;
  switch (value.is) {
    case 'uint':
      return value.value === 0n;
    case 'list':
      return value.items.length === 0;
    case 'map':
      return value.entries.size === 0;
    case 'duration':
      return value.ns === 0n;
    case 'optional':
      return value.value === undefined;
    case 'timestamp':
    case 'type':
      return false;
  }
}

/** Padding may be left out, as in Go's extension. */
function decode(text: string, purse: Purse): Value {
  purse.spend(text.length / 10);
  const bare = text.replace(/[\r\n]/g, '').replace(/={1,2}$/, '');
  const isPadded = bare.length !== text.replace(/[\r\n]/g, '').length;
  const valid = /^[A-Za-z0-9+/]*$/.test(bare) && bare.length % 4 !== 1 && (!isPadded || text.replace(/[\r\n]/g, '').length % 4 === 0);
  if (!valid) throw new CelError('base64.decode: illegal base64 data');
  return new Uint8Array(Buffer.from(bare, 'base64'));
}

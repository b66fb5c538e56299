import { compare, equals } from './compare.ts';
import { CelError, keyOf, listOf, noOverload, type Purse, type Value } from './values.ts';

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;
/** No text or list that an expression makes may be longer. */
const MAX_SIZE = 1_048_576;
const MIN_INSTANT_NS = -62_135_596_800_000_000_000n;
const MAX_INSTANT_NS = 253_402_300_799_999_999_999n;

/** The value of an operator of two sides other than the logical ones. Throws CelError for types that it is not for. */
export function operate(operator: string, left: Value, right: Value, purse: Purse): Value {
  switch (operator) {
    case '==':
      return equals(left, right, purse);
    case '!=':
      return !equals(left, right, purse);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(operator, left, right, purse);
    case 'in':
      return isIn(left, right, purse);
    default:
      return calculate(operator, left, right, purse);
  }
}

function ordered(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value, purse: Purse): boolean {
  const order = compare(left, right, purse);
  if (order === null) throw noOverload(`_${operator}_`, left, right);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function isIn(value: Value, container: Value, purse: Purse): boolean {
  if (container !== null && typeof container === 'object' && !(container instanceof Uint8Array)) {
    if (container.is === 'list') return container.items.some((one) => equals(one, value, purse));
    if (container.is === 'map') {
      const key = keyOf(value);
      return key !== null && container.entries.has(key);
    }
  }
  throw noOverload('_in_', value, container);
}

function calculate(operator: string, left: Value, right: Value, purse: Purse): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return checkInt(integers(operator, left, right));
  if (typeof left === 'number' && typeof right === 'number') return doubles(operator, left, right);
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') {
    bound(left.length + right.length, purse);
    return left + right;
  }
  const wrong = noOverload(`_${operator}_`, left, right);
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') throw wrong;
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    if (operator !== '+' || !(left instanceof Uint8Array && right instanceof Uint8Array)) throw wrong;
    bound(left.length + right.length, purse);
    return new Uint8Array(Buffer.concat([left, right]));
  }
  if (left.is === 'uint' && right.is === 'uint') return checkUint(integers(operator, left.value, right.value));
  if (operator === '+' && left.is === 'list' && right.is === 'list') {
    bound(10 * (left.items.length + right.items.length), purse);
    return listOf([...left.items, ...right.items]);
  }
  return times(operator, left, right) ?? fail(wrong);
}

function fail(error: CelError): never {
  throw error;
}

/** Charges for a result by its size, and refuses one that is too big. */
export function bound(size: number, purse: Purse): void {
  purse.spend(1 + size / 10);
  if (size > 10 * MAX_SIZE) throw new CelError('the result is too big');
}

function integers(operator: string, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0n) throw new CelError('division by zero');
      return left / right;
    default:
      if (right === 0n) throw new CelError('modulus by zero');
      return left % right;
  }
}

function doubles(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      throw noOverload('_%_', left, right);
  }
}

export function checkInt(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new CelError('integer overflow');
  return value;
}

export function checkUint(value: bigint): Value {
  if (value < 0n || value > MAX_UINT) throw new CelError('unsigned integer overflow');
  return { is: 'uint', value };
}

type Tagged = Exclude<Value, null | boolean | bigint | number | string | Uint8Array>;

function times(operator: string, left: Tagged, right: Tagged): Value | null {
  if (!('ns' in left) || !('ns' in right)) return null;
  const sum = operator === '+' && !(left.is === 'timestamp' && right.is === 'timestamp');
  const difference = operator === '-' && !(left.is === 'duration' && right.is === 'timestamp');
  if (!sum && !difference) return null;
  const ns = sum ? left.ns + right.ns : left.ns - right.ns;
  const isInstant = (left.is === 'timestamp') !== (right.is === 'timestamp');
  return isInstant ? instantOf(ns) : { is: 'duration', ns: checkInt(ns) };
}

export function instantOf(ns: bigint): Value {
  if (ns < MIN_INSTANT_NS || ns > MAX_INSTANT_NS) throw new CelError('timestamp overflow');
  return { is: 'timestamp', ns };
}

/** The value of `!` or a leading `-`. */
export function negate(operator: '!' | '-', value: Value): Value {
  if (operator === '!' && typeof value === 'boolean') return !value;
  if (operator === '-' && typeof value === 'bigint') return checkInt(-value);
  if (operator === '-' && typeof value === 'number') return -value;
  throw noOverload(`${operator}_`, value);
}

import { type Purse, typeOf, type Value } from './values.ts';

/** Equality across number types; values of different types are not equal (cel-spec, "Equality"). */
export function equals(left: Value, right: Value, purse: Purse): boolean {
  purse.spend(1);
  const numbers = numericOrder(left, right);
  if (numbers !== null) return numbers === 0;
  if (typeof left === 'string') {
    purse.spend(left.length / 10);
    return left === right;
  }
  if (left === null || typeof left !== 'object') return left === right;
  if (right === null || typeof right !== 'object') return false;
  if (left instanceof Uint8Array || right instanceof Uint8Array)
    return left instanceof Uint8Array && right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  switch (left.is) {
    case 'list':
      return (
        right.is === 'list' &&
        left.items.length === right.items.length &&
        left.items.every((one, index) => equals(one, right.items[index] ?? null, purse))
      );
    case 'map':
      if (right.is !== 'map' || left.entries.size !== right.entries.size) return false;
      return [...left.entries].every(([key, { value }]) => {
        const other = right.entries.get(key);
        return other !== undefined && equals(value, other.value, purse);
      });
    case 'timestamp':
    case 'duration':
      return right.is === left.is && right.ns === left.ns;
    case 'optional':
      if (right.is !== 'optional') return false;
      if (left.value === undefined || right.value === undefined) return left.value === right.value;
      return equals(left.value, right.value, purse);
    case 'type':
      return right.is === 'type' && right.name === left.name;
    case 'uint':
      return false;
  }
}

/** -1, 0 or 1; null for values that have no order; NaN for numbers of which one is none. Texts are ordered by code point, as their bytes are. */
export function compare(left: Value, right: Value, purse: Purse): number | null {
  const numbers = numericOrder(left, right);
  if (numbers !== null) return numbers;
  if (typeOf(left) !== typeOf(right)) return null;
  if (typeof left === 'boolean') return Number(left) - Number(right);
  if (typeof left === 'string' && typeof right === 'string') {
    purse.spend((left.length + right.length) / 10);
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  const [a, b] = [instant(left), instant(right)];
  return a === null || b === null ? null : a < b ? -1 : a > b ? 1 : 0;
}

function instant(value: Value): bigint | null {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return null;
  return value.is === 'timestamp' || value.is === 'duration' ? value.ns : null;
}

function numberOf(value: Value): bigint | number | null {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value !== null && typeof value === 'object' && !(value instanceof Uint8Array) && value.is === 'uint' ? value.value : null;
}

/** JavaScript compares bigint and number by their exact mathematical value, as CEL asks. */
function numericOrder(left: Value, right: Value): number | null {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === null || b === null) return null;
  if (a < b) return -1;
  if (a > b) return 1;
  // Neither below nor above: equal, or not a number.
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0;
}

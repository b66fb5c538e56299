import { checkInt, checkUint, instantOf } from './arithmetic.ts';
import { durationOfText, floorDiv, textOfDuration, textOfTimestamp, timestampOfText } from './times.ts';
import { CelError, noOverload, typeOf, type Value } from './values.ts';

type Conversion = (value: Value) => Value;

/** The functions that turn one type into another (cel-spec, "Standard definitions"). */
export const conversions: Readonly<Record<string, Conversion>> = Object.freeze({
  int: toInt,
  uint: toUint,
  double: toDouble,
  string: toText,
  bytes: (value) =>
    typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : refuse('bytes', value),
  bool: toBool,
  timestamp: (value) =>
    typeof value === 'string'
      ? timestampOfText(value)
      : typeof value === 'bigint'
        ? instantOf(value * 1_000_000_000n)
        : isTagged(value, 'timestamp')
          ? value
          : refuse('timestamp', value),
  duration: (value) =>
    typeof value === 'string'
      ? durationOfText(value)
      : typeof value === 'bigint'
        ? { is: 'duration', ns: checkInt(value) }
        : isTagged(value, 'duration')
          ? value
          : refuse('duration', value),
  dyn: (value) => value,
  type: (value) => ({ is: 'type', name: typeOf(value) }),
});

function refuse(name: string, value: Value): never {
  throw noOverload(name, value);
}

type TaggedName = 'uint' | 'list' | 'map' | 'timestamp' | 'duration' | 'optional' | 'type';

export function isTagged<N extends TaggedName>(value: Value, name: N): value is Extract<Value, { is: N }> {
  return value !== null && typeof value === 'object' && !(value instanceof Uint8Array) && value.is === name;
}

function toInt(value: Value): Value {
  if (typeof value === 'bigint') return value;
  if (isTagged(value, 'uint')) return checkInt(value.value);
  if (typeof value === 'number') {
    // Go refuses the borders themselves, since a double cannot tell them from their neighbours.
    if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new CelError('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (typeof value === 'string') {
    if (!/^[+-]?[0-9]{1,32}$/.test(value)) throw new CelError('the text is no integer');
    return checkInt(BigInt(value.replace(/^\+/, '')));
  }
  if (isTagged(value, 'timestamp')) return floorDiv(value.ns, 1_000_000_000n);
  if (isTagged(value, 'duration')) return value.ns;
  return refuse('int', value);
}

function toUint(value: Value): Value {
  if (isTagged(value, 'uint')) return value;
  if (typeof value === 'bigint') return checkUint(value);
  if (typeof value === 'number') {
    if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow');
    return checkUint(BigInt(Math.trunc(value)));
  }
  if (typeof value !== 'string') return refuse('uint', value);
  if (!/^[0-9]{1,32}$/.test(value)) throw new CelError('the text is no unsigned integer');
  return checkUint(BigInt(value));
}

function toDouble(value: Value): Value {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (isTagged(value, 'uint')) return Number(value.value);
  if (typeof value !== 'string') return refuse('double', value);
  if (/^[+-]?(?:inf|infinity)$/i.test(value)) return value.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(value)) return Number.NaN;
  const parsed = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isFinite(parsed)) throw new CelError('the text is no double');
  return parsed;
}

function toBool(value: Value): Value {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return refuse('bool', value);
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw new CelError('the text is neither true nor false');
}

function toText(value: Value): Value {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return textOfDouble(value);
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    } catch {
      throw new CelError('the bytes are no UTF-8');
    }
  }
  if (isTagged(value, 'uint')) return value.value.toString();
  if (isTagged(value, 'timestamp')) return textOfTimestamp(value.ns);
  if (isTagged(value, 'duration')) return textOfDuration(value.ns);
  return refuse('string', value);
}

/** As Go's `strconv.FormatFloat(value, 'g', -1, 64)`: an exponent below 1e-4 and from 1e6 on. */
export function textOfDouble(value: number): string {
  const special = specialDouble(value, '+Inf', '-Inf');
  if (special !== null) return special;
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return plainDouble(value);
  return `${digits}e${power < 0 ? '-' : '+'}${Math.abs(power).toString().padStart(2, '0')}`;
}

/** As Go's `strconv.FormatFloat(value, 'f', -1, 64)`: never an exponent. */
export function plainDouble(value: number): string {
  const special = specialDouble(value, 'Infinity', '-Infinity');
  if (special !== null) return special;
  const [digits = '', exponent = '0'] = Math.abs(value).toExponential().split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  const all = whole + fraction;
  const point = Number(exponent) + 1;
  const sign = value < 0 ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${all}`;
  return all.length <= point ? `${sign}${all.padEnd(point, '0')}` : `${sign}${all.slice(0, point)}.${all.slice(point)}`;
}

function specialDouble(value: number, infinite: string, negative: string): string | null {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? infinite : negative;
  return value === 0 ? (Object.is(value, -0) ? '-0' : '0') : null;
}

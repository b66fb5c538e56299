const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const LONE_UNDERSCORE = /(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])/;
const MAX_LENGTH = 128;

/**
 * A 64-bit float as Go's strconv.ParseFloat reads it (libraries.md 15.6): `1_000`, `.5`, `0x1p-2`, `Inf` are numbers; `0x10`, ` 1` and the empty text are none.
 * Null also for what is out of range, and for `NaN`, which no order can place (Go takes it). Pure.
 */
export function parseGoFloat(text: string): number | null {
  if (text.length > MAX_LENGTH || LONE_UNDERSCORE.test(text)) return null;
  const infinite = INFINITY.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const plain = text.replaceAll('_', '');
  const hexadecimal = HEXADECIMAL.exec(plain);
  const value = hexadecimal === null ? (DECIMAL.test(plain) ? Number(plain) : null) : fromHexadecimal(hexadecimal);
  return value === null || !Number.isFinite(value) ? null : value;
}

/** Exact for the up to 13 digits that a 64-bit float can hold; longer ones are rounded twice at worst. */
function fromHexadecimal([, sign = '', whole = '', fraction = '', exponent = '']: RegExpExecArray): number | null {
  if (whole === '' && fraction === '') return null;
  const mantissa = Number(BigInt(`0x0${whole}${fraction}`));
  const value = mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

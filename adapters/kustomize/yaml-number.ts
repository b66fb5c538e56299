import type { ScalarTag } from 'yaml';

const NUMBER_START = /^[-+0-9]/;
const STYLE_FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
/** A number that begins with a dot goes to Go's ParseFloat as it is: an underscore counts between two digits only. */
const DOT_FLOAT = /^\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?$/;
const NOT_FINITE = /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]+|0|[1-9][0-9]*)$/;
/** goyaml.v2 reads what follows `0b` by itself, sign included: `0b-1` is -1. */
const SIGNED_BINARY = /^0b([-+])([01]+)$/;
const MAX_UNSIGNED = 2n ** 64n - 1n;
const MIN_SIGNED = -(2n ** 63n);

/** Thrown for `.inf` and `.nan`, which JSON cannot hold: Go's reader refuses them too. */
export class NotFiniteError extends Error {}

/**
 * The value of a plain scalar that may be a number, exactly as Kubernetes' Go reader takes it (goyaml.v2 `resolve`, then encoding/json):
 * integers within 64 bits (bigint beyond 2^53), finite decimals, and everything else as the text it is: `.`, `e1234567`, `1:30`, `1e400`. Pure.
 */
export function goNumber(text: string): number | bigint | string {
  if (NOT_FINITE.test(text)) throw new NotFiniteError('a number that is not finite');
  if (text.startsWith('.')) return (DOT_FLOAT.test(text) ? decimal(text.replaceAll('_', '')) : null) ?? text;
  if (!NUMBER_START.test(text)) return text;
  const plain = text.replaceAll('_', '');
  return integer(plain) ?? signedBinary(plain) ?? decimal(plain) ?? text;
}

function integer(text: string): number | bigint | null {
  const [, sign = '', digits] = INTEGER.exec(text) ?? [];
  if (digits === undefined) return null;
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const value = sign === '-' ? -magnitude : magnitude;
  if (value > MAX_UNSIGNED || value < MIN_SIGNED) return null;
  // Go reads an unsigned number only without a sign.
  if (sign === '+' && value > MAX_UNSIGNED / 2n) return null;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function signedBinary(text: string): number | bigint | null {
  const [, sign, digits] = SIGNED_BINARY.exec(text) ?? [];
  return digits === undefined ? null : integer(`${sign}0b${digits}`);
}

function decimal(text: string): number | null {
  if (!STYLE_FLOAT.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The one number tag of our YAML schema; it stands where the library's own number and time tags stood. */
export const numberTag: ScalarTag = Object.freeze({
  identify: (value: unknown) => typeof value === 'number' || typeof value === 'bigint',
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^[-+.0-9]/,
  resolve: (text: string) => goNumber(text),
});

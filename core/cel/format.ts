import { bound } from './arithmetic.ts';
import { conversions, isTagged, plainDouble } from './convert.ts';
import { CelError, type Purse, typeOf, type Value } from './values.ts';

const CLAUSE = /%(?:\.([0-9]{1,3}))?([a-zA-Z%])?/g;

/** `format` of cel-go's extension `strings`: %s %d %f %e %b %o %x %X and %%. */
export function formatText(template: string, args: readonly Value[], purse: Purse): string {
  let next = 0;
  let size = template.length;
  const made = template.replace(CLAUSE, (_whole, precision: string | undefined, verb: string | undefined) => {
    if (verb === '%') return '%';
    const arg = args[next];
    if (verb === undefined) throw new CelError('format: a % that says nothing');
    if (arg === undefined) throw new CelError(`format: index ${next} out of range`);
    next += 1;
    const text = clause(verb, precision === undefined ? null : Number(precision), arg, purse);
    size += text.length;
    bound(size, purse);
    return text;
  });
  return made;
}

function clause(verb: string, precision: number | null, arg: Value, purse: Purse): string {
  const wrong = new CelError(`format: %${verb} cannot show a value of type ${typeOf(arg)}`);
  if (verb === 's') return shown(arg, purse);
  if (verb === 'f' || verb === 'e') {
    const double = numberOf(arg);
    if (double === null) throw wrong;
    return decimal(verb, double, precision ?? 6);
  }
  if (verb === 'd' && typeof arg === 'number') return plainDouble(arg);
  if (verb === 'x' || verb === 'X') {
    const hex = hexOf(arg);
    if (hex === null) throw wrong;
    return verb === 'X' ? hex.toUpperCase() : hex;
  }
  if (verb === 'b' && typeof arg === 'boolean') return arg ? '1' : '0';
  const base = verb === 'd' ? 10 : verb === 'b' ? 2 : verb === 'o' ? 8 : null;
  if (base === null) throw new CelError(`format: unknown clause %${verb}`);
  if (typeof arg === 'bigint') return arg.toString(base);
  if (isTagged(arg, 'uint')) return arg.value.toString(base);
  throw wrong;
}

function numberOf(arg: Value): number | null {
  if (typeof arg === 'number') return arg;
  if (typeof arg === 'bigint') return Number(arg);
  return isTagged(arg, 'uint') ? Number(arg.value) : null;
}

function decimal(verb: 'f' | 'e', value: number, precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (precision > 100) throw new CelError('format: a precision above 100');
  if (verb === 'f') return fixed(value, precision);
  return value.toExponential(precision).replace(/e([+-])([0-9])$/, 'e$10$2');
}

/** `toFixed` rounds an exact half away from zero; Go rounds it to even. */
function fixed(value: number, precision: number): string {
  const rounded = value.toFixed(precision);
  const exact = value.toFixed(Math.min(100, precision + 30));
  const cut = exact.length - (Math.min(100, precision + 30) - precision) - (precision === 0 ? 1 : 0);
  const isHalf = /^\.?50*$/.test(exact.slice(cut)) && precision + 30 <= 100;
  return isHalf && Number(exact.charAt(cut - 1)) % 2 === 0 ? exact.slice(0, cut) : rounded;
}

function hexOf(arg: Value): string | null {
  if (typeof arg === 'bigint') return arg.toString(16);
  if (isTagged(arg, 'uint')) return arg.value.toString(16);
  if (typeof arg === 'string') return Buffer.from(arg).toString('hex');
  return arg instanceof Uint8Array ? Buffer.from(arg).toString('hex') : null;
}

function shown(value: Value, purse: Purse): string {
  purse.spend(1);
  if (value === null) return 'null';
  if (typeof value === 'number') return plainDouble(value);
  if (isTagged(value, 'list')) return `[${value.items.map((one) => shown(one, purse)).join(', ')}]`;
  if (isTagged(value, 'type')) return value.name;
  if (isTagged(value, 'map')) {
    const entries = [...value.entries.values()].map((one) => `${shown(one.key, purse)}: ${shown(one.value, purse)}`);
    return `{${entries.sort((a, b) => (a < b ? -1 : 1)).join(', ')}}`;
  }
  const text = conversions['string']?.(value);
  if (typeof text !== 'string') throw new CelError(`format: %s cannot show a value of type ${typeOf(value)}`);
  bound(text.length, purse);
  return text;
}

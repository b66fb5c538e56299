import { instantOf } from './arithmetic.ts';
import { CelError, type Value } from './values.ts';

const RFC3339 = /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,30}))?([Zz]|[+-][0-9]{2}:[0-9]{2})$/;
const DURATION_PART = /^([0-9]{0,30})(?:\.([0-9]{0,30}))?(ns|us|µs|μs|ms|s|m|h)/;
const UNIT_NS: Readonly<Record<string, bigint>> = Object.freeze({
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
});
const OFFSET = /^([+-]?)([0-9]{1,2}):([0-9]{2})$/;

export function timestampOfText(text: string): Value {
  const match = RFC3339.exec(text);
  const milliseconds = match === null ? Number.NaN : Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`);
  if (match === null || Number.isNaN(milliseconds)) throw new CelError(`${JSON.stringify(text.slice(0, 64))} is no RFC 3339 timestamp`);
  // Date.parse rolls 30 February over; Go refuses it.
  if (new Date(milliseconds).getUTCDate() !== Number(match[3])) throw new CelError(`${JSON.stringify(text.slice(0, 64))} is no day`);
  const fraction = BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  const zone = match[8] ?? 'Z';
  const offsetMinutes =
    zone.toUpperCase() === 'Z' ? 0 : Number(`${zone.charAt(0)}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  return instantOf(BigInt(milliseconds - offsetMinutes * 60_000) * 1_000_000n + fraction);
}

/** Go's `time.ParseDuration`. */
export function durationOfText(text: string): Value {
  const wrong = new CelError(`${JSON.stringify(text.slice(0, 64))} is no duration, such as 1h30m`);
  const sign = text.startsWith('-') ? -1n : 1n;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return { is: 'duration', ns: 0n };
  if (rest === '' || rest.length > 256) throw wrong;
  let ns = 0n;
  while (rest !== '') {
    const match = DURATION_PART.exec(rest);
    if (match === null || (match[1] === '' && (match[2] ?? '') === '')) throw wrong;
    const unit = UNIT_NS[match[3] ?? ''] ?? 0n;
    const fraction = match[2] ?? '';
    ns += BigInt(match[1] === '' ? '0' : (match[1] ?? '0')) * unit;
    if (fraction !== '') ns += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    rest = rest.slice(match[0].length);
  }
  if (ns > 2n ** 63n - 1n) throw wrong;
  return { is: 'duration', ns: sign * ns };
}

export function textOfTimestamp(ns: bigint): string {
  const seconds = floorDiv(ns, 1_000_000_000n);
  const fraction = ns - seconds * 1_000_000_000n;
  const shown = fraction === 0n ? '' : `.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${shown}Z`;
}

/** Seconds, as the canonical form of google.protobuf.Duration. */
export function textOfDuration(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const fraction = size % 1_000_000_000n;
  const shown = fraction === 0n ? '' : `.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${ns < 0n ? '-' : ''}${size / 1_000_000_000n}${shown}s`;
}

export function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

const PARTS: Readonly<Record<string, (date: Date) => number>> = Object.freeze({
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
});
const DURATION_PARTS: Readonly<Record<string, bigint>> = Object.freeze({
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: 1_000_000n,
});

export function isTimePart(name: string): boolean {
  return Object.hasOwn(PARTS, name);
}

/** One part of an instant in a zone (UTC when none is named), or the whole of a duration in that unit. Null for a part that durations do not have. */
export function timePart(name: string, value: Readonly<{ is: 'timestamp' | 'duration'; ns: bigint }>, zone: string | null): bigint | null {
  if (value.is === 'duration') {
    const unit = DURATION_PARTS[name];
    return unit === undefined || zone !== null ? null : value.ns / unit;
  }
  const milliseconds = Number(floorDiv(value.ns, 1_000_000n));
  return BigInt(PARTS[name]?.(new Date(milliseconds + offsetMs(zone, milliseconds))) ?? 0);
}

function offsetMs(zone: string | null, atMs: number): number {
  if (zone === null || zone === '' || zone === 'UTC') return 0;
  const fixed = OFFSET.exec(zone);
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000;
  return namedOffsetMs(zone, atMs);
}

function namedOffsetMs(zone: string, atMs: number): number {
  if (!/^[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+){1,2}$/.test(zone)) throw new CelError(`unknown time zone ${JSON.stringify(zone.slice(0, 64))}`);
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(new Date(atMs));
    const shown = parts.find((one) => one.type === 'timeZoneName')?.value.replace('GMT', '') ?? '';
    return shown === '' ? 0 : offsetMs(shown.slice(0, 6), atMs);
  } catch (error) {
    if (error instanceof RangeError) throw new CelError(`unknown time zone ${JSON.stringify(zone.slice(0, 64))}`);
    throw error;
  }
}

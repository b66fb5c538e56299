/** Durations in the grammar of Flux's schemas (definitions.md 1.3): pattern D, units ms, s, m, h, several units in a row, no days. */
export const DURATION_PATTERN = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$';
/** Pattern M: as D without hours; used by `timeout` of source kinds. */
export const DURATION_PATTERN_NO_HOURS = '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$';

const UNIT_MS: Readonly<Record<string, number>> = Object.freeze({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 });
const WHOLE = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/;
const PART = /([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g;
/** Go's time.Duration is an int64 of nanoseconds. */
const MAX_MS = 9_223_372_036_854;

/** Milliseconds of a duration text; null when the text is no duration or does not fit Go's 64 bits. Pure. */
export function parseDuration(text: string): number | null {
  if (text.length > 64 || !WHOLE.test(text)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  return Number.isFinite(totalMs) && totalMs <= MAX_MS ? totalMs : null;
}

/** As parseDuration, with a default for an absent field. Throws on a text that the schema should have refused: that is our bug. */
export function durationMs(text: string | undefined, defaultMs: number): number {
  if (text === undefined) return defaultMs;
  const ms = parseDuration(text);
  if (ms === null) throw new Error(`not a duration: ${text.slice(0, 32)}`);
  return ms;
}

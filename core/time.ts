/**
 * The only source of time and chance. Everything that decides takes one of these, so that a seed replays a schedule.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export const systemClock: Clock = Object.freeze({ nowMs: () => Date.now(), random: () => Math.random() });

/** RFC 3339 in UTC with whole seconds, as Kubernetes writes timestamps. */
export function rfc3339(epochMs: number): string {
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC with milliseconds, for places where order matters. */
export function rfc3339Millis(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Epoch milliseconds of an RFC 3339 text, or null when it is none. */
export function parseRfc3339(text: string): number | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

import { type DestinationStream, type Logger, pino } from 'pino';
import { censored, redactionPaths, redactText } from '#adapters/log/redaction.ts';
import { AppError } from '#core/errors.ts';
import type { Log, LogFacts } from '#core/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogOptions = Readonly<{
  level: LogLevel;
  /** Bindings of every line, such as the service’s name. */
  bindings: LogFacts;
  /** Where lines go; the standard output when absent. */
  destination?: DestinationStream;
}>;

const maxTextLength = 8_192;

/** JSON lines through pino: static message, facts as fields, secrets by name and by shape taken out. */
export function createLog(options: LogOptions): Log {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...redactionPaths()], censor: censored },
    messageKey: 'msg',
  };
  const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  return wrap(logger.child(cleanFacts(options.bindings)));
}

function wrap(logger: Logger): Log {
  // The message is the caller's literal; here it only passes through.
  const line = (level: LogLevel) => (facts: LogFacts, message: string) => logger[level](cleanFacts(facts), message);
  return Object.freeze({
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (bindings: LogFacts) => wrap(logger.child(cleanFacts(bindings))),
  });
}

/** Facts as plain data: errors become their name, code, message, stack and causes; long texts are cut; what looks like a credential is replaced. */
function cleanFacts(facts: LogFacts): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, clean(value, 0)]));
}

const maxDepth = 5;
const maxItems = 100;

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '[deep]';
  if (value instanceof Error) return cleanError(value, depth);
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, maxItems).map((one) => clean(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxItems)
      .map(([key, inner]) => [key, clean(inner, depth + 1)]),
  );
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const code = error instanceof AppError ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: clean(error.cause, depth + 1) };
  return { name: error.name, ...code, message: redactText(error.message), stack: redactText(error.stack ?? ''), ...cause };
}

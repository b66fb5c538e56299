/** Static messages, facts as fields. Bindings (tenant, kind, id, cluster) are set once per job. */
export interface Log {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
  child(bindings: LogFacts): Log;
}
export type LogFacts = Readonly<Record<string, unknown>>;

/** For tests and tools that have nobody to tell. */
export const silentLog: Log = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
});

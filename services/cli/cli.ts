import type { Clock } from '#core/time.ts';
import type { Environment } from '#services/cli/config/environment.ts';
import type { Io } from '#services/cli/term/io.ts';
import type { Narrate } from '#services/cli/term/narrate.ts';

/** What every command is given. Built once by main.ts, or by a test. */
export type Cli = Readonly<{
  env: Environment;
  io: Io;
  narrate: Narrate;
  clock: Clock;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Absolute path of the launcher: what a kubeconfig names as credential plugin. */
  program: string;
}>;

/** Options of every command that talks to the plane. */
export type ReachOptions = Readonly<{
  server?: string | undefined;
  ca?: string | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  namespace?: string | undefined;
}>;

/** What the shell sees (cli-console 1.5). */
export const exitCodes = Object.freeze({ done: 0, no: 1, unanswered: 2, loginNeeded: 4, interrupted: 130 });
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export type FailureMore = Readonly<{
  /** Lines after the first one. */
  details?: readonly string[];
  /** What to type or do next. */
  next?: string;
  /** Of a failed answer of the plane: its Status. */
  status?: Readonly<{ code: number; reason: string }>;
}>;

/** Ends the command: one line that says what failed on which object and why, then details, then what to do next. Holds no secret. */
export class CliFailure extends Error {
  readonly exitCode: ExitCode;
  readonly more: FailureMore;
  constructor(exitCode: ExitCode, message: string, more: FailureMore = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliFailure';
    this.exitCode = exitCode;
    this.more = more;
  }
}

/** The answer is no: exit 1. */
export function refused(message: string, more: FailureMore = {}): CliFailure {
  return new CliFailure(exitCodes.no, message, more);
}

/** The question could not be answered (usage, network, server error): exit 2. */
export function unanswered(message: string, more: FailureMore = {}, options?: ErrorOptions): CliFailure {
  return new CliFailure(exitCodes.unanswered, message, more, options);
}

/** Nobody is logged in, or no more: exit 4, in one line. */
export function loginNeeded(message: string): CliFailure {
  return new CliFailure(exitCodes.loginNeeded, message);
}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

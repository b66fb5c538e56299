import { CliFailure, type ExitCode, exitCodes, reasonOf } from '#services/cli/failure.ts';
import type { Narrate } from '#services/cli/term/narrate.ts';
import { stripControls } from '#services/cli/term/strip.ts';

/** Tells a failure: one line, then details, then what to do next. Returns the exit code. The only place that does (cli-console 1.6). */
export function tellFailure(narrate: Narrate, error: unknown, interrupted: boolean): ExitCode {
  if (interrupted) {
    narrate.fail('interrupted');
    return exitCodes.interrupted;
  }
  if (!(error instanceof CliFailure)) {
    narrate.fail(`this is a bug of weir: ${reasonOf(error)}`);
    if (error instanceof Error && error.stack !== undefined) narrate.say(error.stack.split('\n').slice(1, 6).join('\n'));
    return exitCodes.unanswered;
  }
  narrate.fail(stripControls(error.message).replaceAll('\n', '\n  '));
  for (const line of error.more.details ?? []) narrate.say(`  ${line}`);
  if (error.more.next !== undefined) narrate.say(`  next: ${error.more.next}`);
  return error.exitCode;
}

import type { Cli } from '#services/cli/cli.ts';
import { refused, unanswered } from '#services/cli/failure.ts';

/**
 * Asks before something that is not undone easily. `--yes` is the answer; without a terminal and without it nothing is done
 * (exit 2, cli-console 1.7). Throws CliFailure (exit 1) when the answer is no.
 */
export async function confirm(cli: Cli, yes: boolean, question: string): Promise<void> {
  if (yes) return;
  if (!cli.io.canAsk) throw unanswered(`${question} Nothing was done: there is no terminal to ask`, { next: 'add --yes' });
  const answer = (await cli.io.ask(`${question} [y/N] `)).trim().toLowerCase();
  if (answer !== 'y' && answer !== 'yes') throw refused('nothing was done');
}

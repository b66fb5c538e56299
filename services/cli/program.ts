import { Command, CommanderError } from 'commander';
import type { Cli } from '#services/cli/cli.ts';
import { clusterCommand } from '#services/cli/commands/cluster.ts';
import { type ExitCode, exitCodes } from '#services/cli/failure.ts';
import { tellFailure } from '#services/cli/print/failure-text.ts';
import { version } from '#services/cli/version.ts';

const after = `
Exit codes: 0 done · 1 the answer is no (difference, not ready, refused) · 2 could not answer (usage, network, server) · 4 login needed · 130 interrupted
Environment: WEIR_SERVER, WEIR_TOKEN, WEIR_CA_FILE, KUBECONFIG, NO_COLOR`;

/** The command tree. Actions throw; nothing in it ends the process. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('weir')
    .description('Multi-tenant GitOps for a fleet of Kubernetes clusters.')
    .version(version)
    .configureOutput({ writeOut: (text) => cli.io.out(text), writeErr: (text) => cli.io.err(text) })
    .exitOverride()
    .addHelpText('after', after);
  for (const command of [clusterCommand]) program.addCommand(command(cli));
  for (const command of allCommands(program))
    command.exitOverride().configureOutput({ writeOut: (text) => cli.io.out(text), writeErr: (text) => cli.io.err(text) });
  return program;
}

/** Runs one command line (without node and script); tells failures on stderr. Returns the exit code. */
export async function run(args: readonly string[], cli: Cli): Promise<ExitCode> {
  try {
    await buildProgram(cli).parseAsync([...args], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.unanswered;
    return tellFailure(cli.narrate, error, cli.signal.aborted);
  }
}

function allCommands(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}

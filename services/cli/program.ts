import { Command, CommanderError } from 'commander';
import type { Cli } from '#services/cli/cli.ts';
import { applyCommand } from '#services/cli/commands/apply.ts';
import { approveCommand } from '#services/cli/commands/approve.ts';
import { clusterCommand } from '#services/cli/commands/cluster.ts';
import { completeCommand, completionCommand } from '#services/cli/commands/completion.ts';
import { deleteCommand } from '#services/cli/commands/delete.ts';
import { diffCommand } from '#services/cli/commands/diff.ts';
import { eventsCommand } from '#services/cli/commands/events.ts';
import { getCommand } from '#services/cli/commands/get.ts';
import { historyCommand } from '#services/cli/commands/history.ts';
import { envCommand, getTokenCommand, logoutCommand, useCommand, whoamiCommand } from '#services/cli/commands/identity.ts';
import { imageCommand } from '#services/cli/commands/image.ts';
import { loginCommand } from '#services/cli/commands/login.ts';
import { reconcileCommand } from '#services/cli/commands/reconcile.ts';
import { resumeCommand, suspendCommand } from '#services/cli/commands/suspend.ts';
import { tenantCommand } from '#services/cli/commands/tenant.ts';
import { tokenCommand } from '#services/cli/commands/token.ts';
import { traceCommand } from '#services/cli/commands/trace.ts';
import { treeCommand } from '#services/cli/commands/tree.ts';
import { type ExitCode, exitCodes } from '#services/cli/failure.ts';
import { tellFailure } from '#services/cli/print/failure-text.ts';
import { version } from '#services/cli/version.ts';

const after = `
Exit codes: 0 done · 1 the answer is no (difference, not ready, refused) · 2 could not answer (usage, network, server) · 4 login needed · 130 interrupted
Environment: WEIR_SERVER, WEIR_TOKEN, WEIR_CA_FILE, KUBECONFIG, NO_COLOR`;

const commands: readonly ((cli: Cli) => Command)[] = Object.freeze([
  loginCommand,
  logoutCommand,
  whoamiCommand,
  getTokenCommand,
  useCommand,
  envCommand,
  tokenCommand,
  getCommand,
  treeCommand,
  traceCommand,
  historyCommand,
  eventsCommand,
  diffCommand,
  applyCommand,
  deleteCommand,
  reconcileCommand,
  suspendCommand,
  resumeCommand,
  approveCommand,
  imageCommand,
  tenantCommand,
  clusterCommand,
  completionCommand,
]);

/** The command tree. Actions throw; nothing in it ends the process. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('weir')
    .description('Multi-tenant GitOps for a fleet of Kubernetes clusters.')
    .version(version)
    .configureOutput({ writeOut: (text) => cli.io.out(text), writeErr: (text) => cli.io.err(text) })
    .exitOverride()
    .addHelpText('after', after);
  for (const command of commands) program.addCommand(command(cli));
  program.addCommand(
    completeCommand(cli, () => program),
    { hidden: true },
  );
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

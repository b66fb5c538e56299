import { Command } from 'commander';
import type { Cli } from '#services/cli/cli.ts';
import { onboardCommand } from '#services/cli/commands/onboard.ts';

export function clusterCommand(cli: Cli): Command {
  return new Command('cluster').description('workload clusters').addCommand(onboardCommand(cli));
}

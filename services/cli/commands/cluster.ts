import { Command } from 'commander';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { clusterCheckCommand } from '#services/cli/commands/cluster-check.ts';
import { getCommand } from '#services/cli/commands/get.ts';
import { onboardCommand } from '#services/cli/commands/onboard.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { flagsOf } from '#services/cli/commands/tenant.ts';

export function clusterCommand(cli: Cli): Command {
  const get = getCommand(cli);
  const view = withOutput(withReach(new Command('get')))
    .description('the clusters that you see: your own and the shared ones')
    .argument('[names...]')
    .action(async (names: readonly string[], options: ReachOptions & Readonly<{ output?: string }>) => {
      const place =
        names.length === 0 ? (options.namespace === undefined ? ['-A'] : []) : options.namespace === undefined ? ['-n', 'weir-system'] : [];
      await get.parseAsync(['clusters', ...names, ...place, ...flagsOf(options)], { from: 'user' });
    });
  return new Command('cluster')
    .description('workload clusters')
    .addCommand(onboardCommand(cli))
    .addCommand(view)
    .addCommand(clusterCheckCommand(cli));
}

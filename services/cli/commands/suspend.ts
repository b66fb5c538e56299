import { Command } from 'commander';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withReach, withWait } from '#services/cli/commands/options.ts';
import { unanswered } from '#services/cli/failure.ts';
import { discover, findResource, pathOf } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { titleOf, waitForReady } from '#services/cli/wait/definition.ts';

type Options = ReachOptions & Readonly<{ reason?: string; wait: boolean; timeout: number }>;
/** Shown to whoever asks why nothing happens; removed by resume. */
const REASON = 'weir.dev/suspend-reason';
const maxReason = 1_024;

export function suspendCommand(cli: Cli): Command {
  return withReach(new Command('suspend'))
    .description('stop working on a definition; what runs keeps running')
    .argument('<kind>')
    .argument('<name>')
    .option('--reason <text>', 'why, for those who wonder')
    .action(async (kind: string, name: string, options: Options) => set(cli, kind, name, { ...options, wait: false }, true));
}

export function resumeCommand(cli: Cli): Command {
  return withWait(withReach(new Command('resume')))
    .description('work on a definition again, and wait until it is Ready')
    .argument('<kind>')
    .argument('<name>')
    .action(async (kind: string, name: string, options: Options) => set(cli, kind, name, options, false));
}

async function set(cli: Cli, kind: string, name: string, options: Options, suspend: boolean): Promise<void> {
  if ((options.reason ?? '').length > maxReason) throw unanswered(`--reason is above ${maxReason} characters`);
  await withPlane(cli, options, async (plane) => {
    const resource = findResource(await discover(plane), kind);
    const target = { resource, namespace: resource.namespaced ? namespaceOf(plane) : null, name };
    const reason = suspend ? (options.reason ?? null) : null;
    const field = resource.kind === 'Cluster' ? 'paused' : 'suspend';
    await plane.call({
      method: 'PATCH',
      path: pathOf(resource, target.namespace, name),
      query: { fieldManager: suspend ? 'weir-suspend' : 'weir-resume', fieldValidation: 'Strict' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [REASON]: reason } }, spec: { [field]: suspend } },
    });
    cli.io.out(`${titleOf(target)} ${suspend ? 'suspended' : 'resumed'}\n`);
    if (options.wait) await waitForReady(cli, plane, target, options.timeout);
  });
}

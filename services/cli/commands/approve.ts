import { Command } from 'commander';
import { at, type JsonObject, textAt } from '#core/json.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withReach, withWait } from '#services/cli/commands/options.ts';
import { confirm } from '#services/cli/confirm.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import { discover, findResource, listAll, objects, pathOf } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { titleOf, waitForReady } from '#services/cli/wait/definition.ts';
import { conditionOf } from '#services/cli/wait/not-ready.ts';

const APPROVE = 'weir.dev/approve-prune';
const REASON = 'weir.dev/approve-reason';
type Options = ReachOptions & Readonly<{ digest?: string; reason?: string; yes?: boolean; wait: boolean; timeout: number }>;

export function approveCommand(cli: Cli): Command {
  return withWait(withReach(new Command('approve')))
    .description('let a prune go on that waits for approval; it holds for exactly the plan that is shown')
    .argument('<kind>')
    .argument('<name>')
    .option('--digest <digest>', 'the plan that you looked at; default: the one that waits')
    .option('--reason <text>', 'why')
    .option('--yes', 'do not ask')
    .action(async (kind: string, name: string, options: Options) => approve(cli, kind, name, options));
}

async function approve(cli: Cli, kind: string, name: string, options: Options): Promise<void> {
  await withPlane(cli, options, async (plane) => {
    const resource = findResource(await discover(plane), kind);
    const target = { resource, namespace: namespaceOf(plane), name };
    const definition = await plane.call({ method: 'GET', path: pathOf(resource, target.namespace, name) });
    const { items } = await listAll(plane, `/apis/weir.dev/v1/namespaces/${encodeURIComponent(target.namespace)}/deliveries`);
    const waiting = waitingPlans([
      definition,
      ...items.filter(
        (one) => textAt(one, 'spec', 'definition', 'name') === name && textAt(one, 'spec', 'definition', 'kind') === resource.kind,
      ),
    ]);
    const chosen = options.digest === undefined ? waiting : waiting.filter((plan) => plan.digest === options.digest);
    const [plan, other] = chosen;
    if (plan === undefined)
      throw refused(
        options.digest === undefined
          ? `${titleOf(target)} waits for no approval`
          : `no prune of ${titleOf(target)} with the digest ${options.digest} waits`,
      );
    if (other !== undefined)
      throw unanswered(`several plans of ${titleOf(target)} wait`, {
        details: chosen.map((one) => `${one.digest}: ${one.message}`),
        next: 'name one with --digest',
      });
    cli.narrate.start(plan.message);
    await confirm(cli, options.yes === true, `Approve ${plan.digest}?`);
    const annotations = { [APPROVE]: plan.digest, ...(options.reason === undefined ? {} : { [REASON]: options.reason }) };
    await plane.call({
      method: 'PATCH',
      path: pathOf(resource, target.namespace, name),
      query: { fieldManager: 'weir-approve' },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations } },
    });
    cli.io.out(`${titleOf(target)} approved ${plan.digest}\n`);
    if (options.wait) await waitForReady(cli, plane, target, options.timeout);
  });
}

type Plan = Readonly<{ digest: string; message: string }>;

/** Plans that wait, from the status of the definition and its deliveries: `prunePlan` where it is shown, else the condition's own words. Pure. */
export function waitingPlans(all: readonly JsonObject[]): readonly Plan[] {
  const found = new Map<string, string>();
  for (const object of objects(all)) {
    const ready = conditionOf(object, 'Ready');
    if (ready?.reason !== 'PruneApprovalRequired') continue;
    const digest = textAt(at(object, 'status', 'prunePlan'), 'digest') ?? /weir\.dev\/approve-prune=(\S+)/.exec(ready.message)?.[1] ?? '';
    if (digest !== '') found.set(digest, ready.message);
  }
  return [...found].map(([digest, message]) => ({ digest, message }));
}

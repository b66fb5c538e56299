import { Command, Option } from 'commander';
import type { JsonObject } from '#core/json.ts';
import { applyObject, type Placed, place } from '#services/cli/apply/apply-object.ts';
import { type InputObject, readObjects } from '#services/cli/apply/documents.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach, withWait } from '#services/cli/commands/options.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { discover } from '#services/cli/plane/resources.ts';
import { withPlane } from '#services/cli/plane/with-plane.ts';
import { listOf, nameOf, parseOutput, printValue } from '#services/cli/print/output.ts';
import { isReconciled, waitForReady } from '#services/cli/wait/definition.ts';

type Options = ReachOptions &
  Readonly<{
    filename: readonly string[];
    recursive?: boolean;
    dryRun?: 'server' | 'client' | 'none';
    output?: string;
    wait: boolean;
    timeout: number;
  }>;

export function applyCommand(cli: Cli): Command {
  return withWait(withOutput(withReach(new Command('apply'))))
    .description('create or change objects of the plane as files say, and wait until they are Ready')
    .requiredOption('-f, --filename <path...>', 'files, folders, or - for the standard input')
    .option('-R, --recursive', 'folders with everything below them')
    .addOption(new Option('--dry-run <how>', 'try only').choices(['server', 'client', 'none']))
    .action(async (options: Options) => apply(cli, options));
}

async function apply(cli: Cli, options: Options): Promise<void> {
  const output = parseOutput(options.output);
  const inputs = inOrder(await readObjects(cli, options.filename, options.recursive === true));
  await withPlane(cli, options, async (plane) => {
    const served = await discover(plane);
    // Everything is looked at before anything is written: a typo in the last file changes nothing.
    const placed = inputs.map((input) => place(plane, served, input));
    const dry = options.dryRun === 'server' || options.dryRun === 'client';
    const applied: Readonly<{ one: Placed; object: JsonObject }>[] = [];
    for (const one of placed) {
      const { result, object } =
        options.dryRun === 'client' ? { result: 'configured', object: one.input.object } : await applyObject(plane, one, dry);
      applied.push({ one, object });
      const line = `${nameOf(one.input.object)} ${result}${dry ? ` (${options.dryRun} dry run)` : ''}`;
      if (output.as === 'table' || output.as === 'wide') cli.io.out(`${line}\n`);
      else cli.narrate.done(line);
    }
    const [only, ...others] = applied;
    if (output.as !== 'table' && output.as !== 'wide')
      printValue(
        cli.io,
        output,
        only !== undefined && others.length === 0 ? only.object : listOf(applied.map((each) => each.object)),
        () => '',
      );
    if (options.wait && !dry)
      await waitForAll(
        cli,
        plane,
        applied.map((each) => each.one),
        options.timeout,
      );
  });
}

async function waitForAll(cli: Cli, plane: Plane, placed: readonly Placed[], timeoutMs: number): Promise<void> {
  await Promise.all(
    placed
      .filter(({ resource }) => isReconciled(resource))
      .map(({ resource, namespace, input }) => waitForReady(cli, plane, { resource, namespace, name: input.name }, timeoutMs)),
  );
}

const first: readonly string[] = Object.freeze(['Tenant', 'Namespace', 'Secret', 'ConfigMap', 'ServiceAccount', 'Cluster', 'ClusterGrant']);

/** What others need comes first; otherwise the order of the files. */
export function inOrder(inputs: readonly InputObject[]): readonly InputObject[] {
  const rank = (input: InputObject): number => (first.includes(input.kind) ? first.indexOf(input.kind) : first.length);
  return inputs.toSorted((a, b) => rank(a) - rank(b));
}

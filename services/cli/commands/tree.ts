import { Command } from 'commander';
import type { JsonObject } from '#core/json.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { discover, findResource, listAll, pathOf } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { parseOutput, printValue } from '#services/cli/print/output.ts';
import { type TreeNode, treeNames, treeOf, treeText } from '#services/cli/tree/tree.ts';

export function treeCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('tree')))
    .description('a definition, its deliveries per cluster, and the objects that each brought there')
    .argument('<kind>')
    .argument('<name>')
    .action(async (kind: string, name: string, options: ReachOptions & Readonly<{ output?: string }>) => {
      const output = parseOutput(options.output);
      await withPlane(cli, options, async (plane) => {
        const resource = findResource(await discover(plane), kind);
        const namespace = namespaceOf(plane);
        const definition = await plane.call({ method: 'GET', path: pathOf(resource, namespace, name) });
        const { items } = await listAll(plane, `/apis/weir.dev/v1/namespaces/${encodeURIComponent(namespace)}/deliveries`);
        const tree = treeOf(definition, items);
        printValue(
          cli.io,
          output,
          asJson(tree),
          () => treeText(tree),
          () => treeNames(tree),
        );
      });
    });
}

function asJson({ resource, resources }: TreeNode): JsonObject {
  return { resource: { ...resource }, resources: resources.map(asJson) };
}

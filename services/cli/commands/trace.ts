import { Command } from 'commander';
import type { JsonObject } from '#core/json.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { refused } from '#services/cli/failure.ts';
import { discover, findKind, getOrNull, listAll, pathOf } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { parseOutput, printValue } from '#services/cli/print/output.ts';
import { ownersOf, type Traced, traceText, withSource } from '#services/cli/tree/trace.ts';

type Options = ReachOptions & Readonly<{ objectNamespace?: string; cluster?: string; output?: string }>;

export function traceCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('trace')))
    .description('from an object on a cluster back to the definition, the source and the commit that brought it')
    .argument('<kind>', 'kind of the object, as its manifest says it, such as Deployment; or Kustomization')
    .argument('<name>')
    .option('--object-namespace <name>', 'namespace of the object on the cluster')
    .option('--cluster <name>', 'on one cluster')
    .action(async (kind: string, name: string, options: Options) => {
      const output = parseOutput(options.output);
      await withPlane(cli, options, async (plane) => {
        const namespace = namespaceOf(plane);
        const { items } = await listAll(plane, `/apis/weir.dev/v1/namespaces/${encodeURIComponent(namespace)}/deliveries`);
        const owners = ownersOf(items, { kind, name, namespace: options.objectNamespace ?? null, cluster: options.cluster ?? null });
        if (owners.length === 0)
          throw refused(`no delivery of namespace ${namespace} brought ${kind}/${name}`, {
            next: 'look in another namespace of the plane with -n, or see what there is with weir get deliveries',
          });
        const served = await discover(plane);
        // One definition on many clusters is asked for once.
        const asked = new Map<string, Promise<JsonObject | null>>();
        const get = (apiVersion: string, wantedKind: string, place: string, wanted: string): Promise<JsonObject | null> => {
          const resource = findKind(served, apiVersion, wantedKind);
          if (resource === null) return Promise.resolve(null);
          const path = pathOf(resource, place, wanted);
          const found = asked.get(path) ?? getOrNull(plane, path);
          asked.set(path, found);
          return found;
        };
        const traces: Traced[] = [];
        for (const owner of owners) traces.push(await withSource(owner, get));
        printValue(
          cli.io,
          output,
          { apiVersion: 'weir.dev/v1', kind: 'Trace', items: traces.map((one) => ({ ...one })) },
          () => traceText(traces),
          () => traces.map((one) => `kustomization.kustomize.toolkit.fluxcd.io/${one.definition.name}`),
        );
      });
    });
}

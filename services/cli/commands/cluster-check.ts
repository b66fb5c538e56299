import { Command } from 'commander';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { parseRfc3339 } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { refused } from '#services/cli/failure.ts';
import { objects, pathOf } from '#services/cli/plane/resources.ts';
import { withPlane } from '#services/cli/plane/with-plane.ts';
import { ageText } from '#services/cli/print/age.ts';
import { parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';
import { conditionOf } from '#services/cli/wait/not-ready.ts';

const clusters = Object.freeze({ group: 'weir.dev', version: 'v1', plural: 'clusters', namespaced: true });

/** Everything that is wrong with a cluster at once, and what to do about it. */
export function clusterCheckCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('check')))
    .description('state, age of the credential, and every right that an account lacks; exit 1 when something is missing')
    .argument('<name>')
    .action(async (name: string, options: ReachOptions & Readonly<{ output?: string }>) => {
      const output = parseOutput(options.output);
      await withPlane(cli, options, async (plane) => {
        const namespace = options.namespace ?? 'weir-system';
        const cluster = await plane.call({ method: 'GET', path: pathOf(clusters, namespace, name) });
        const problems = problemsOf(cluster, name, namespace);
        printValue(cli.io, output, cluster, () => reportOf(cluster, cli.clock.nowMs()));
        if (problems.length > 0)
          throw refused(
            `Cluster/${namespace}/${name}: ${problems.length === 1 ? 'something is' : `${problems.length} things are`} missing`,
            { details: problems },
          );
        cli.narrate.done(`${name} is ready, and no registered account lacks a right`);
      });
    });
}

/** One line each, with the next step. Pure. */
export function problemsOf(cluster: JsonObject, name: string, namespace: string): readonly string[] {
  const ready = conditionOf(cluster, 'Ready');
  const state =
    ready === null
      ? [`no worker has looked at it yet; next: weir cluster check ${name} in a minute`]
      : ready.status === 'True'
        ? []
        : [`${ready.reason}: ${ready.message}; next: ${nextStep(ready.reason, name, namespace)}`];
  const rights = objects(at(cluster, 'status', 'accounts')).flatMap((account) => {
    const missing = at(account, 'missing');
    if (!Array.isArray(missing) || missing.length === 0) return [];
    return [
      `account ${textAt(account, 'account') ?? ''} of tenant ${textAt(account, 'tenant') ?? ''} lacks: ${missing.map(String).join('; ')}; next: bind it a role that has them, or leave such objects out`,
    ];
  });
  return [...state, ...rights];
}

function nextStep(reason: string, name: string, namespace: string): string {
  switch (reason) {
    case 'ClusterPaused':
      return `weir resume cluster ${name} -n ${namespace}`;
    case 'ClusterUnreachable':
      return 'see that the API server answers at spec.server from where the plane runs';
    default:
      return `weir cluster onboard --name ${name}, with a kubeconfig of that cluster`;
  }
}

function reportOf(cluster: JsonObject, nowMs: number): string {
  const ready = conditionOf(cluster, 'Ready');
  const accounts = objects(at(cluster, 'status', 'accounts'));
  const fields = [
    ['server', textAt(cluster, 'spec', 'server') ?? ''],
    ['state', ready === null ? 'not looked at yet' : ready.status === 'True' ? 'ready' : `${ready.reason}: ${ready.message}`],
    ['version', textAt(cluster, 'status', 'version') ?? ''],
    ['last contact', ageOf(textAt(cluster, 'status', 'lastContactTime'), nowMs)],
    ['credential issued', ageOf(textAt(cluster, 'status', 'credential', 'issuedAt'), nowMs)],
    ['credential expires', textAt(cluster, 'status', 'credential', 'expiresAt') ?? ''],
    ...accounts.map((account) => {
      const missing = at(account, 'missing');
      const count = Array.isArray(missing) ? missing.length : 0;
      return [
        `account of ${textAt(account, 'tenant') ?? ''}`,
        `${textAt(account, 'account') ?? ''}: ${count === 0 ? 'has what it needs' : `lacks ${count} rights`}`,
      ];
    }),
  ];
  return tableText(['field', 'value'], fields);
}

function ageOf(time: string | undefined, nowMs: number): string {
  const ms = time === undefined ? null : parseRfc3339(time);
  return ms === null ? '' : `${ageText(nowMs - ms)} ago (${time ?? ''})`;
}

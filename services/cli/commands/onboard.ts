import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { JsonObject } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import { boolOf, durationOf, withOutput } from '#services/cli/commands/options.ts';
import { confirm } from '#services/cli/confirm.ts';
import { reasonOf, refused, unanswered } from '#services/cli/failure.ts';
import { manifestsFor } from '#services/cli/onboard/manifests.ts';
import { applyOnboard, isNothing, type OnboardPlan, planOnboard } from '#services/cli/onboard/onboard.ts';
import { loadOperator, type Operator } from '#services/cli/onboard/operator.ts';
import { registeredAccounts } from '#services/cli/onboard/plan.ts';
import type { ClusterFacts } from '#services/cli/onboard/register.ts';
import { label, type OnboardWish, parseAccounts, parseLabels, parseTenants } from '#services/cli/onboard/wish.ts';
import { openWorkload } from '#services/cli/onboard/workload.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { reachPlane } from '#services/cli/plane/reach.ts';
import { getOrNull, pathOf } from '#services/cli/plane/resources.ts';
import { listOf, type Output, parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';
import { yamlText } from '#services/cli/print/yaml.ts';
import { waitForCluster } from '#services/cli/wait/cluster.ts';

type Options = Readonly<{
  context?: string;
  kubeconfig?: string;
  name?: string;
  labels: string;
  tenants: string;
  accounts: string;
  role: string;
  namespace: string;
  clusterServer?: string;
  clusterCa?: string;
  dryRun?: boolean;
  yes?: boolean;
  output?: string;
  wait: boolean;
  timeout: number;
  server?: string;
  ca?: string;
  planeKubeconfig?: string;
  planeContext?: string;
}>;

export function onboardCommand(cli: Cli): Command {
  const command = new Command('onboard')
    .description('make a cluster ready for tenants, with your own kubeconfig, and register it; your credential never reaches the plane')
    .option('--context <name>', 'context of your kubeconfig for the cluster; default: the current one')
    .option('--kubeconfig <file>', 'your kubeconfig for the cluster; default: KUBECONFIG or ~/.kube/config')
    .option('--name <name>', 'name of the Cluster in the plane; default: the name of the context')
    .option('--labels <list>', 'labels of the Cluster, such as env=prod,region=eu', '')
    .option('--tenants <list>', 'tenants and their namespaces there, such as team-a=apps-a,team-b=apps-b+jobs-b', '')
    .option('--accounts <list>', 'further accounts to register, such as apps-a/deployer', '')
    .option('--role <name>', 'ClusterRole that tenants get in their namespaces', 'admin')
    .option('-n, --namespace <name>', 'namespace of the Cluster in the plane', 'weir-system')
    .option('--cluster-server <url>', 'address under which the plane reaches the cluster; default: that of the kubeconfig')
    .option('--cluster-ca <file>', 'PEM file of the cluster’s authority; default: that of the kubeconfig')
    .option('--dry-run', 'print the YAML for the cluster to apply by hand or by GitOps; write nothing')
    .option('--yes', 'do not ask')
    .option('--wait [bool]', 'wait until the plane has reached the cluster', boolOf('--wait'), true)
    .option('--timeout <duration>', 'how long to wait', durationOf('--timeout'), 300_000)
    .option('--server <url>', 'the plane (WEIR_SERVER); default: that of the login')
    .option('--ca <file>', 'PEM file of the authority of the plane (WEIR_CA_FILE)')
    .option('--plane-kubeconfig <file>', 'kubeconfig file with a context of the plane')
    .option('--plane-context <name>', 'context of the plane');
  return withOutput(command).action(async (options: Options) => runOnboard(cli, options));
}

async function runOnboard(cli: Cli, options: Options): Promise<void> {
  const output = parseOutput(options.output);
  const asked = {
    tenants: parseTenants(options.tenants),
    labels: parseLabels(options.labels),
    accounts: parseAccounts(options.accounts),
    role: options.role,
    planeNamespace: label(options.namespace, '--namespace', 'a namespace'),
  };
  const files = options.kubeconfig === undefined ? cli.env.kubeconfigFiles : [options.kubeconfig];
  const operator = await loadOperator({ kubeconfigFiles: files, context: options.context ?? null }, cli.signal);
  try {
    const wish: OnboardWish = { ...asked, name: nameOf(options, operator) };
    if (options.dryRun === true) await printManifests(cli, operator, wish, output);
    else await onboardNow(cli, options, operator, wish, output);
  } finally {
    operator.close();
  }
}

function nameOf(options: Options, operator: Operator): string {
  if (options.name !== undefined) return label(options.name, '--name', 'a cluster');
  return label(operator.context, 'the name of the context cannot be that of the cluster (name one with --name)', 'a cluster');
}

/** Reads which accounts are registered already, so that applying the YAML takes none away; writes nothing anywhere. */
async function printManifests(cli: Cli, operator: Operator, wish: OnboardWish, output: Output): Promise<void> {
  const workload = openWorkload(operator.access, cli.signal);
  const manifests = manifestsFor(wish, await registeredAccounts(workload, wish));
  printValue(cli.io, output.as === 'table' || output.as === 'wide' ? { as: 'table' } : output, listOf(manifests), () =>
    manifests.map((one) => yamlText(one)).join('---\n'),
  );
  cli.narrate.say(
    'when this is applied in the cluster, run the same command without --dry-run: it finds everything in place and registers the cluster',
  );
}

async function onboardNow(cli: Cli, options: Options, operator: Operator, wish: OnboardWish, output: Output): Promise<void> {
  const facts = await factsOf(options, operator);
  const plane = await reachPlane(cli, {
    server: options.server,
    ca: options.ca,
    kubeconfig: options.planeKubeconfig,
    context: options.planeContext,
  });
  try {
    if (plane.server === facts.server)
      throw unanswered(`${plane.server} is the cluster itself, not a plane`, {
        next: 'run `weir login`, or name the plane with --server or --plane-context',
      });
    const parts = { workload: openWorkload(operator.access, cli.signal), plane, nowMs: cli.clock.nowMs() };
    const plan = await planOnboard(parts, wish, facts);
    tellPlan(cli, plan, operator, plane);
    if (!isNothing(plan)) await confirm(cli, options.yes === true, `Onboard ${wish.name}?`);
    const result = await applyOnboard(parts, plan, { step: (step, where) => tellStep(cli, output, `${step.title} ${step.result}`, where) });
    const credential = result.tokenExpiresAt === null ? 'unchanged' : `given to the plane, good until ${result.tokenExpiresAt}`;
    tellStep(cli, output, `token of weir-bootstrap ${credential}`, 'plane');
    if (options.wait) await waitForCluster(cli, plane, wish, options.timeout);
    await printCluster(cli, plane, wish, output);
  } finally {
    plane.close();
  }
}

async function factsOf(options: Options, operator: Operator): Promise<ClusterFacts> {
  const caPem = options.clusterCa === undefined ? operator.caPem : await readPem(options.clusterCa);
  if (caPem === null)
    throw refused('the kubeconfig names no certificate authority for the cluster, and the plane verifies every certificate', {
      next: 'name the file of the authority with --cluster-ca',
    });
  return { server: (options.clusterServer ?? operator.access.server).replace(/\/$/, ''), caPem };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unanswered(`--cluster-ca ${file} could not be read: ${reasonOf(error)}`, {}, { cause: error });
  }
}

function tellPlan(cli: Cli, plan: OnboardPlan, operator: Operator, plane: Plane): void {
  cli.narrate.start(`plan for the cluster behind context ${operator.context} (${operator.access.server})`);
  for (const step of plan.workload.steps) cli.narrate.say(`  ${step.change.padEnd(9)} ${step.title}`);
  cli.narrate.start(`plan for the plane ${plane.server}`);
  for (const one of [plan.plane.cluster, plan.plane.grant]) cli.narrate.say(`  ${one.change.padEnd(9)} ${one.title}`);
  cli.narrate.say(
    plan.mintToken
      ? '  hand over  a token of weir-bootstrap, which may only mint tokens for the accounts above'
      : '  unchanged token of weir-bootstrap',
  );
}

/** What was done: data for people on stdout, narration beside machine-readable output. */
function tellStep(cli: Cli, output: Output, text: string, where: 'cluster' | 'plane'): void {
  const line = `${where}: ${text}`;
  if (output.as === 'table' || output.as === 'wide') cli.io.out(`${line}\n`);
  else cli.narrate.done(line);
}

async function printCluster(cli: Cli, plane: Plane, wish: OnboardWish, output: Output): Promise<void> {
  if (output.as === 'table' || output.as === 'wide') return;
  const path = pathOf({ group: 'weir.dev', version: 'v1', plural: 'clusters', namespaced: true }, wish.planeNamespace, wish.name);
  const cluster: JsonObject | null = await getOrNull(plane, path);
  if (cluster !== null) printValue(cli.io, output, cluster, () => tableText([], []));
}

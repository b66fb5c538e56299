import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { createHelm, type Helm, type ReleaseCluster } from '#adapters/helm/helm.ts';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import type { HelmAction } from '#core/helm.ts';
import { openChildren } from '#deploy/local/children.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';

/**
 * Benchmark (i), the part of one release: install and upgrade in the sandbox with the choke point, against the helm CLI itself with the same arguments in the same
 * run (benchmarks.md section i): one at a time, many at equal parallelism, and one at a time again with 500 CRDs in the cluster. Both keep what they read of the
 * cluster's kinds. Only 127.0.0.1, bounded in count. `node tests/load/helm.ts [rounds] [releases]` prints one JSON line. A quiet release is not here: it starts no
 * helm, and tests/helm-release/quiet-and-locked.test.ts proves that.
 */
const run = promisify(execFile);
const never = new AbortController().signal;
const NAMESPACE = 'default';
const PARALLEL = 4;
const CRDS = 500;

type Stage = Readonly<{ cluster: RunningCluster; helm: Helm; program: string; entry: ReleaseCluster; chartPath: string }>;

const wait = { timeoutMs: 60_000, disableHooks: false, disableWait: true, disableWaitForJobs: true, waitStrategy: 'poller' } as const;
const applying = { ...wait, disableOpenAPIValidation: false, disableSchemaValidation: false, disableTakeOwnership: false, skipCrds: true };
const install: HelmAction = { ...applying, do: 'install', replace: false, createNamespace: false, serverSideApply: true };
const upgrade: HelmAction = {
  ...applying,
  do: 'upgrade',
  preserveValues: false,
  force: false,
  cleanupOnFail: false,
  serverSide: 'auto',
  maxHistory: 5,
};

async function ours(
  { helm, entry, chartPath }: Stage,
  name: string,
  action: HelmAction,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const chart = { chartPath, values, labels: { 'weir.dev/delivery': 'load' }, postRender: async (text: string) => text };
  await helm.perform({ name, namespace: NAMESPACE }, entry, chart, action, never);
}

async function bare({ program, cluster, chartPath }: Stage, verb: 'install' | 'upgrade', name: string, colour: string): Promise<void> {
  const same = ['--wait=hookOnly', '--take-ownership', '--skip-crds', '--output', 'json', '--labels', 'weir.dev/delivery=load'];
  const side = verb === 'install' ? ['--server-side=true', '--force-conflicts'] : ['--server-side=auto', '--history-max', '5'];
  const place = ['--namespace', NAMESPACE, '--kubeconfig', cluster.adminKubeconfigPath];
  await run(program, [verb, name, chartPath, ...place, ...same, ...side, '--set', `colour=${colour}`], { maxBuffer: 64 * 1024 * 1024 });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

/** Turn by turn, so that both see the same machine; the first of each is thrown away. */
async function measure(stage: Stage, rounds: number, prefix: string) {
  const took = { oursInstall: [0], bareInstall: [0], oursUpgrade: [0], bareUpgrade: [0] };
  for (let round = 0; round <= rounds; round += 1) {
    took.oursInstall[round] = await timed(() => ours(stage, `ours-${prefix}-${round}`, install, { colour: 'red' }));
    took.bareInstall[round] = await timed(() => bare(stage, 'install', `bare-${prefix}-${round}`, 'red'));
    took.oursUpgrade[round] = await timed(() => ours(stage, `ours-${prefix}-${round}`, upgrade, { colour: 'blue' }));
    took.bareUpgrade[round] = await timed(() => bare(stage, 'upgrade', `bare-${prefix}-${round}`, 'blue'));
  }
  const of = (values: readonly number[]) => median(values.slice(1));
  const installMs = { ours: of(took.oursInstall), cli: of(took.bareInstall) };
  const upgradeMs = { ours: of(took.oursUpgrade), cli: of(took.bareUpgrade) };
  return {
    rounds,
    installMs,
    upgradeMs,
    installRatio: Number((installMs.ours / installMs.cli).toFixed(2)),
    upgradeRatio: Number((upgradeMs.ours / upgradeMs.cli).toFixed(2)),
  };
}

/** As many installs as `releases`, PARALLEL at a time; half of each first, so that neither has the quieter machine. Above 1 is faster than the CLI. */
async function fleet(stage: Stage, releases: number) {
  const half = Math.max(1, Math.ceil(releases / 2));
  const mine = (part: string) => timed(() => each(half, (n) => ours(stage, `fleet-${part}-${n}`, install, { colour: 'red' })));
  const theirs = (part: string) => timed(() => each(half, (n) => bare(stage, 'install', `loop-${part}-${n}`, 'red')));
  const took = [await theirs('a'), await mine('a'), await mine('b'), await theirs('b')];
  const [cliA = 0, oursA = 0, oursB = 0, cliB = 0] = took;
  const perSecond = (ms: number) => Number(((2 * half * 1_000) / ms).toFixed(2));
  return {
    releases: 2 * half,
    parallel: PARALLEL,
    perSecond: { ours: perSecond(oursA + oursB), cli: perSecond(cliA + cliB) },
    ratio: Number(((cliA + cliB) / (oursA + oursB)).toFixed(2)),
  };
}

async function each(count: number, work: (n: number) => Promise<void>): Promise<void> {
  const limit = pLimit(PARALLEL);
  await Promise.all(Array.from({ length: count }, (_, n) => limit(() => work(n))));
}

/** Waits until discovery shows the last one, so that helm meets all of them. */
async function addCrds({ cluster }: Stage, kubectl: string, root: string): Promise<void> {
  const file = join(root, 'crds.json');
  const items = Array.from({ length: CRDS }, (_, n) => {
    const group = `g${n % 50}.load.weir.test`;
    const spec = { type: 'object', properties: { size: { type: 'integer' }, text: { type: 'string' } } };
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things${n}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: `things${n}`, singular: `thing${n}`, kind: `Thing${n}`, listKind: `Thing${n}List` },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }],
      },
    };
  });
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const admin = ['--kubeconfig', cluster.adminKubeconfigPath];
  const options = { maxBuffer: 16 * 1024 * 1024, timeout: 180_000 };
  await run(kubectl, [...admin, 'create', '-f', file], options);
  await run(kubectl, [...admin, 'wait', '--for=condition=Established', '--timeout=120s', 'crd', '--all'], options);
}

async function writeChart(root: string, program: string): Promise<string> {
  const chart = join(root, 'chart');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: podinfo\nversion: 6.9.2\n');
  await writeFile(join(chart, 'values.yaml'), 'colour: red\n');
  const head = (kind: string, apiVersion = 'v1') => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: "{{ .Release.Name }}"}\n`;
  const pod = 'containers: [{name: main, image: "ghcr.io/stefanprodan/podinfo:6.9.2"}]';
  const web = `spec:\n  replicas: 0\n  selector: {matchLabels: {app: "{{ .Release.Name }}"}}\n  template: {metadata: {labels: {app: "{{ .Release.Name }}"}}, spec: {${pod}}}\n`;
  await writeFile(join(chart, 'templates', 'map.yaml'), `${head('ConfigMap')}data: {colour: "{{ .Values.colour }}"}\n`);
  await writeFile(join(chart, 'templates', 'account.yaml'), head('ServiceAccount'));
  await writeFile(
    join(chart, 'templates', 'service.yaml'),
    `${head('Service')}spec: {selector: {app: "{{ .Release.Name }}"}, ports: [{port: 80}]}\n`,
  );
  await writeFile(join(chart, 'templates', 'web.yaml'), `${head('Deployment', 'apps/v1')}${web}`);
  await run(program, ['package', chart, '--destination', root]);
  return join(root, 'podinfo-6.9.2.tgz');
}

async function main(): Promise<void> {
  const rounds = Math.min(50, Math.max(1, Number(process.argv[2] ?? 10)));
  const releases = Math.min(1_000, Math.max(2, Number(process.argv[3] ?? 100)));
  const children = openChildren();
  const root = await mkdtemp(join(tmpdir(), 'weir-load-'));
  try {
    const tools = await loadToolPaths();
    const cluster = await startCluster(children, { dir: join(root, 'cluster'), name: 'load', controllers: false, tools });
    const sandbox = await createSandbox({ mode: 'bwrap', bwrap: tools.bwrap, workDir: join(root, 'sandbox'), signal: never });
    const workDir = join(root, 'work');
    await mkdir(workDir);
    const helm = createHelm({ sandbox, helm: tools.helm, inside: tools.helmInside, workDir, connectLookup: null });
    const { server, caPem, admin } = cluster;
    const entry: ReleaseCluster = {
      server,
      caPem,
      cacheKey: 'load',
      credential: { is: 'certificate', certificatePem: admin.certificatePem, keyPem: admin.keyPem },
    };
    const stage = { cluster, helm, program: tools.helm, entry, chartPath: await writeChart(root, tools.helm) };
    const single = await measure(stage, rounds, 'one');
    const many = await fleet(stage, releases);
    await addCrds(stage, tools.kubectl, root);
    const withCrds = await measure(stage, rounds, 'crds');
    process.stdout.write(`${JSON.stringify({ single, fleet: many, withCrds: { crds: CRDS, ...withCrds } })}\n`);
    await cluster.stop();
  } finally {
    children.killAll();
    await rm(root, { recursive: true, force: true });
  }
}

await main();

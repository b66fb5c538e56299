import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { basename, join } from 'node:path';
import { AppError } from '#core/errors.ts';
import type { ClusterEntry, HelmAction, ReleaseName } from '#core/helm.ts';
import { isObject, type JsonObject, parseJson, stringifyJson, textAt } from '#core/json.ts';
import { type ApiCache, createApiCache } from './api-cache.ts';
import { applyArgs, helmArgs, templateArgs } from './argv.ts';
import { openGate } from './gate.ts';
import { type Harvest, openHarvest } from './harvest.ts';
import { throwAwayKubeconfig } from './kubeconfig.ts';
import { writePlugin } from './plugin.ts';
import { openPostRender, type PostRender, type PostRenderGate } from './post-render.ts';
import { readableHelmError } from './redact.ts';
import { HELM_ENVIRONMENT, type HelmSandbox } from './sandbox.ts';

export type HelmOptions = Readonly<{
  sandbox: HelmSandbox;
  /** The pinned helm 4. */
  helm: string;
  /** `weir-inside` (tools/go/inside): the way to the API server and the post-renderer, in the sandbox. */
  inside: string;
  /** A folder of this process alone. */
  workDir: string;
  /** Egress policy at the moment of connecting to a cluster. */
  connectLookup: LookupFunction | null;
}>;

/** A chart package on this machine (its digest was checked by who brought it) and the merged values, which go to helm as one JSON file. */
export type ChartInput = Readonly<{ chartPath: string; values: JsonObject }>;
/** For an action that applies a chart: what becomes of the list before helm applies it, and labels of the record (helm keeps them from version to version). */
export type ApplyInput = ChartInput & Readonly<{ postRender: PostRender; labels: Readonly<Record<string, string>> }>;
export type TemplateOptions = Parameters<typeof templateArgs>[1] & Readonly<{ timeoutMs: number }>;

/** A cluster, and under which name helm's knowledge of its kinds is kept from run to run: it has to name tenant, cluster and account, since it is lent to nobody else. */
export type ReleaseCluster = ClusterEntry & Readonly<{ cacheKey: string }>;

export type Helm = Readonly<{
  /** The YAML of every object, hooks, tests and CRDs: no network, no kubeconfig, `lookup` finds nothing. Throws AppError buildFailed, sandboxUnavailable. */
  template(release: ReleaseName, chart: ChartInput, options: TemplateOptions, signal: AbortSignal): Promise<string>;
  /**
   * Does one thing with a real release. Not idempotent: look at the records first. The answer is helm's release JSON for install and upgrade, null for the others.
   * Throws AppError clusterAnswer with helm's reason, unknownResult when a limit ended it (the record may then be pending), sandboxUnavailable. After an
   * abort nothing of it runs any more.
   */
  perform(
    release: ReleaseName,
    cluster: ReleaseCluster,
    chart: ApplyInput | null,
    action: HelmAction,
    signal: AbortSignal,
  ): Promise<JsonObject | null>;
  /** The objects in the `crds/` folders of the chart and its subcharts, as YAML. */
  crds(chartPath: string, signal: AbortSignal): Promise<string>;
}>;

const LIMITS = Object.freeze({
  maxOutputBytes: 64 * 1024 * 1024,
  maxMemoryBytes: 1024 ** 3,
  maxCpuSeconds: 60,
  maxProcesses: 128,
  maxFileBytes: 64 * 1024 * 1024,
});
/** Beside the chart it holds what the cluster says of its kinds: 743 MB with 108 CRDs were seen (helm/helm #11280). */
const RELEASE_MEMORY_BYTES = 2 * 1024 ** 3;
const TEMPLATE_MAX_MS = 90_000;
/** Helm ends its own waits first and writes down how it went; only then would we. */
const GRACE_MS = 30_000;
const KUBE_CACHE = '/tmp/kube';

type Options = HelmOptions & Readonly<{ cache: ApiCache }>;

export function createHelm(options: HelmOptions): Helm {
  const { sandbox, helm, workDir } = options;
  const cache = createApiCache(join(workDir, 'api-cache'));
  return Object.freeze({
    template(release: ReleaseName, chart: ChartInput, wanted: TemplateOptions, signal: AbortSignal): Promise<string> {
      return inRunFolder(workDir, async (dir) => {
        await writeFile(join(dir, 'values.json'), stringifyJson(chart.values), { mode: 0o644 });
        const timeoutMs = Math.min(wanted.timeoutMs, TEMPLATE_MAX_MS);
        const result = await sandbox.run(
          {
            command: helm,
            args: templateArgs(release, wanted),
            cwd: '/in',
            readOnly: chartMounts(dir, chart),
            env: HELM_ENVIRONMENT,
            limits: { ...LIMITS, timeoutMs },
          },
          signal,
        );
        if (result.stoppedBy !== null)
          throw new AppError(
            'buildFailed',
            `helm template was ended by a limit: ${result.stoppedBy === 'timeout' ? `${timeoutMs} ms` : `${LIMITS.maxOutputBytes} bytes of output`}`,
          );
        if (result.exitCode !== 0) throw new AppError('buildFailed', `helm template failed: ${reasonOf(result)}`);
        return result.stdout.toString('utf8');
      });
    },
    async crds(chartPath: string, signal: AbortSignal): Promise<string> {
      const result = await sandbox.run(
        {
          command: helm,
          args: ['show', 'crds', '/in/chart.tgz'],
          cwd: '/in',
          readOnly: [{ from: chartPath, to: '/in/chart.tgz' }],
          env: HELM_ENVIRONMENT,
          limits: { ...LIMITS, timeoutMs: TEMPLATE_MAX_MS },
        },
        signal,
      );
      if (result.stoppedBy !== null) throw new AppError('buildFailed', `helm show crds was ended by a limit: ${result.stoppedBy}`);
      if (result.exitCode !== 0) throw new AppError('buildFailed', `helm show crds failed: ${reasonOf(result)}`);
      return result.stdout.toString('utf8');
    },
    perform(release: ReleaseName, cluster: ReleaseCluster, chart: ApplyInput | null, action: HelmAction, signal: AbortSignal) {
      if (sandbox.mode !== 'bwrap')
        throw new AppError(
          'sandboxUnavailable',
          'a Helm release needs bubblewrap: in the other sandbox modes there is no network of its own for it; install bubblewrap',
        );
      return inRunFolder(workDir, (dir) => performIn({ ...options, cache }, dir, { release, cluster, chart, action }, signal));
    },
  });
}

type Performed = Readonly<{ release: ReleaseName; cluster: ReleaseCluster; chart: ApplyInput | null; action: HelmAction }>;
type Ways = Readonly<{ harvest: Harvest; post: PostRenderGate | null; close(): Promise<void> }>;

async function performIn(options: Options, dir: string, input: Performed, signal: AbortSignal): Promise<JsonObject | null> {
  const { release, cluster, chart, action } = input;
  const cacheKey = `${cluster.cacheKey} ${cluster.server} ${cluster.caPem}`;
  await writeFile(join(dir, 'kubeconfig'), throwAwayKubeconfig(cluster, release.namespace), { mode: 0o600 });
  if (chart !== null) await writeFile(join(dir, 'values.json'), stringifyJson(chart.values), { mode: 0o600 });
  await mkdir(join(dir, 'seed'), { mode: 0o755 });
  await options.cache.lend(cacheKey, join(dir, 'seed'));
  const ways = await openWays(options, dir, input);
  try {
    const result = await runIn(options, dir, input, signal);
    const refusal = ways.post?.refused() ?? null;
    if (refusal !== null) throw refusal;
    if (result.stoppedBy !== null)
      throw new AppError('unknownResult', `helm ${action.do} was ended by a limit (${result.stoppedBy}); its record is looked at next`);
    if (result.exitCode !== 0) throw new AppError('clusterAnswer', `helm ${action.do} failed: ${reasonOf(result)}`);
    const answers = ways.harvest.taken();
    if (answers !== null) await options.cache.keep(cacheKey, answers);
    if (ways.post === null) return null;
    const made = releaseJson(result.stdout);
    // Not for us to trust: whatever helm applied was seen here, or the run is wrong (threats B13).
    if (ways.post.passed() === 0 && (textAt(made, 'manifest') ?? '').trim() !== '')
      throw new Error('helm applied objects that did not pass the post-renderer');
    return made;
  } finally {
    await ways.close();
  }
}

/** The sockets of one run: the one way out, the choke point, and the one that takes what helm learned of the cluster's kinds. */
async function openWays({ connectLookup }: Options, dir: string, { cluster, chart }: Performed): Promise<Ways> {
  const gate = await openGate({ socketPath: join(dir, 'api.sock'), server: cluster.server, connectLookup });
  const harvest = await openHarvest(join(dir, 'keep.sock'));
  const post = chart === null ? null : await openPostRender(join(dir, 'post.sock'), chart.postRender);
  return {
    harvest,
    post,
    close: async () => {
      await Promise.all([gate.close(), harvest.close(), post?.close()]);
    },
  };
}

async function runIn({ sandbox, helm, inside }: Options, dir: string, { release, chart, action }: Performed, signal: AbortSignal) {
  const plugin = chart === null ? null : await writePlugin(dir, join(dir, 'post.sock'), `/tool/${basename(inside)}`);
  const ways = ['--api', '/in/api.sock', '--cache', `${KUBE_CACHE}/http`, '--seed', '/in/seed', '--keep', '/in/keep.sock'];
  const labels = chart === null ? [] : applyArgs(chart.labels);
  const here = ['api.sock', 'keep.sock', 'seed', 'kubeconfig'].map((name) => ({ from: join(dir, name), to: `/in/${name}` }));
  return await sandbox.run(
    {
      command: inside,
      args: ['run', ...ways, '/tool/helm', ...helmArgs(release, action), ...labels],
      cwd: '/in',
      readOnly: [{ from: helm, to: '/tool/helm' }, ...here, ...(chart === null ? [] : chartMounts(dir, chart)), ...(plugin?.mounts ?? [])],
      env: { ...HELM_ENVIRONMENT, KUBECACHEDIR: KUBE_CACHE, ...(plugin?.env ?? {}) },
      children: true,
      limits: { ...LIMITS, maxMemoryBytes: RELEASE_MEMORY_BYTES, timeoutMs: action.timeoutMs + GRACE_MS },
    },
    signal,
  );
}

function chartMounts(dir: string, chart: ChartInput) {
  return [
    { from: chart.chartPath, to: '/in/chart.tgz' },
    { from: join(dir, 'values.json'), to: '/in/values.json' },
  ];
}

async function inRunFolder<T>(workDir: string, run: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(workDir, 'helm-'));
  try {
    await chmod(dir, 0o755);
    return await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function reasonOf(result: Readonly<{ exitCode: number; stderr: string }>): string {
  if (result.exitCode === 152) return `it used more than ${LIMITS.maxCpuSeconds} s of processor time, the limit`;
  if (result.exitCode === 137) return `it was killed, from outside or at its limit of ${LIMITS.maxCpuSeconds} s of processor time`;
  if (/out of memory|cannot allocate memory/.test(result.stderr)) return 'it needed more memory than the limit';
  return readableHelmError(result.stderr) || `it ended with code ${result.exitCode}`;
}

function releaseJson(stdout: Buffer): JsonObject {
  const value = parseJson(stdout.toString('utf8'));
  if (isObject(value)) return value;
  throw new AppError('unknownResult', 'helm answered with no release; its record is looked at next');
}

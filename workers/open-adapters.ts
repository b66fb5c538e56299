import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createArtifacts } from '#adapters/blob/artifacts.ts';
import { createBucket } from '#adapters/bucket/bucket.ts';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import { timeoutLauncher } from '#adapters/git/launcher.ts';
import { removeLeftovers } from '#adapters/git/leftovers.ts';
import { createLooks } from '#adapters/git/looks.ts';
import { createWriteQueues } from '#adapters/git/write-queue.ts';
import { createHelm } from '#adapters/helm/helm.ts';
import { createClusters } from '#adapters/kube/clusters.ts';
import { createRenderEngine } from '#adapters/kustomize/render.ts';
import { createRegistry } from '#adapters/oci/registry.ts';
import { readCredential } from '#adapters/postgres/cluster-access.ts';
import type { KeyRing } from '#adapters/postgres/key-ring.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import { createPullRequests } from '#adapters/pull-requests/pull-requests.ts';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import type { Launch } from '#adapters/sandbox/types.ts';
import { createSigstore } from '#adapters/sigstore/sigstore.ts';
import type { Config } from '#core/config.ts';
import { AppError } from '#core/errors.ts';
import type { Failpoints } from '#core/failpoints.ts';
import type { Log } from '#core/log.ts';
import type { ClusterAccess } from '#core/store.ts';
import { scopeOfOwner } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';
import type { WorkerAdapters } from './adapters.ts';
import { createChartFactsCache } from './ports/chart-facts-cache.ts';
import { createPreflightCache } from './ports/preflight-cache.ts';

export type OpenOptions = Readonly<{
  config: Config;
  /** Name of this process among others of the plane; names its own working folders. */
  worker: string;
  version: string;
  db: TenantDb;
  keys: KeyRing;
  clock: Clock;
  log: Log;
  failpoints: Failpoints;
  /** The pinned kustomize, and bubblewrap where it can be had. */
  kustomize: string;
  /** The pinned helm; null: releases say that it is missing. */
  helm: string | null;
  /** What helm has beside itself in its sandbox (`weir-inside`); null as above. */
  helmInside: string | null;
  bwrap: Launch | null;
}>;
export type OpenedAdapters = Readonly<{
  adapters: WorkerAdapters /** One sentence on how programs are isolated. */;
  sandbox: string;
  close(): Promise<void>;
}>;

const GIT_SECONDS = 600;
/** Temporary folders of a crash; one of a live process is never this old. */
const LEFTOVER_MS = 60 * 60_000;
const MAX_MIRROR_BYTES = 4 * 1024 * 1024 * 1024;

/** Everything a worker process holds. Throws AppError sandboxUnavailable when programs cannot be isolated here. */
export async function openAdapters(options: OpenOptions): Promise<OpenedAdapters> {
  const { config, db, keys, clock, log } = options;
  const dir = (...parts: readonly string[]) => join(config.stateDir, ...parts);
  const work = dir('work', options.worker);
  await mkdir(work, { recursive: true, mode: 0o755 });
  const sandbox = await createSandbox({
    mode: config.sandbox,
    bwrap: options.bwrap,
    workDir: join(work, 'sandbox'),
    signal: AbortSignal.timeout(60_000),
  });
  const artifacts = createArtifacts({ dir: dir('artifacts'), clock });
  const engine = await createRenderEngine({
    artifacts,
    sandbox,
    kustomize: options.kustomize,
    workDir: join(work, 'render'),
    cacheDir: dir('renders'),
    clock,
  });
  const egress = createEgress({ allowCidrs: config.egressAllow });
  const http = createEgressHttp({ egress, userAgent: `weir/${options.version}`, clock });
  const bucket = createBucket({ http, clock, allowHttpHosts: config.allowHttpHosts, workDir: join(work, 'bucket') });
  // Layers, objects and charts of an earlier life of this process.
  for (const name of ['oci', 'bucket', 'charts', 'compose']) await rm(join(work, name), { recursive: true, force: true });
  const registry = createRegistry({ http, clock, allowHttpHosts: config.allowHttpHosts, realms: new Map(), workDir: join(work, 'oci') });
  const rootFile = config.sigstoreTrustedRoot;
  const sigstore = createSigstore(rootFile === null ? null : { file: rootFile, json: await readFile(rootFile) });
  const store = openUnitStore(db);
  const clusters = createClusters({
    component: options.worker,
    version: options.version,
    bootstrap: (access) => bootstrapToken(db, keys, access, options.worker),
    clock,
    log,
    onChange: ({ scope, deliveryId }) => {
      store
        .trigger(scope, deliveryId, 'drift')
        .catch((error: unknown) => log.warn({ error, deliveryId }, 'a change on a cluster could not be noted; the next interval sees it'));
    },
    limits: { perProcess: config.watchBudget },
    failpoints: options.failpoints,
    connectLookup: egress.egressLookup,
  });
  const helmDir = join(work, 'helm');
  await rm(helmDir, { recursive: true, force: true });
  await mkdir(helmDir, { recursive: true, mode: 0o755 });
  const helm =
    options.helm === null || options.helmInside === null
      ? null
      : createHelm({ sandbox, helm: options.helm, inside: options.helmInside, workDir: helmDir, connectLookup: egress.egressLookup });
  const git = {
    mirrorsDir: dir('mirrors'),
    workDir: join(work, 'git'),
    launcher: timeoutLauncher(GIT_SECONDS),
    path: '/usr/local/bin:/usr/bin:/bin',
    allowHttp: false,
    egress,
    maxMirrorBytes: MAX_MIRROR_BYTES,
    lowSpeedSeconds: 30,
  };
  await mkdir(git.workDir, { recursive: true, mode: 0o700 });
  await mkdir(git.mirrorsDir, { recursive: true, mode: 0o700 });
  await removeLeftovers({ workDir: git.workDir, mirrorsDir: git.mirrorsDir, minAgeMs: LEFTOVER_MS, clock });
  return {
    adapters: {
      db,
      keys,
      store,
      clock,
      clusters,
      artifacts,
      preflights: createPreflightCache(clock),
      renderFor: (scope) => engine.forTenant(scope),
      bucket,
      helm: { program: helm, patch: { sandbox, kustomize: options.kustomize, workDir: helmDir }, facts: createChartFactsCache() },
      charts: { http, workDir: join(work, 'charts'), allowHttpHosts: config.allowHttpHosts },
      composeDir: join(work, 'compose'),
      registry,
      sigstore,
      patterns: createPatterns(),
      looks: createLooks(),
      writeQueues: createWriteQueues(),
      pullRequests: createPullRequests({ http, clock, allowHttpHosts: config.allowHttpHosts }),
      git,
    },
    sandbox: sandbox.describe(),
    close: async () => {
      await Promise.all([clusters.close(), http.close()]);
    },
  };
}

/** The standing credential of a cluster, read in its owner's scope for each use; good for TokenRequest and nothing else. */
async function bootstrapToken(db: TenantDb, keys: KeyRing, access: ClusterAccess, worker: string): Promise<string> {
  const scope = scopeOfOwner(access, { name: worker, via: 'worker' });
  const found = await db.inTenant(scope, (tx) => readCredential(tx, keys, access.clusterId));
  if (found !== null) return found.token;
  throw new AppError(
    'clusterRefused',
    `cluster ${access.clusterName} has no bootstrap token yet: its operator runs \`weir cluster onboard\``,
  );
}

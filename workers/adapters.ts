import type { ArtifactStore } from '#adapters/blob/artifacts.ts';
import type { Egress } from '#adapters/git/environment.ts';
import type { Launcher } from '#adapters/git/launcher.ts';
import type { Looks } from '#adapters/git/looks.ts';
import type { WriteQueues } from '#adapters/git/write-queue.ts';
import type { Helm as HelmProgram } from '#adapters/helm/helm.ts';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { PatchTools } from '#adapters/kustomize/patch-objects.ts';
import type { KeyRing } from '#adapters/postgres/key-ring.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import type { Bucket } from '#core/bucket.ts';
import type { EgressHttp } from '#core/http.ts';
import type { Patterns, Render } from '#core/ports.ts';
import type { PullRequests } from '#core/pull-requests.ts';
import type { UnitStore } from '#core/reconcile/store.ts';
import type { Registry } from '#core/registry.ts';
import type { Sigstore } from '#core/sigstore.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';
import type { ChartFactsCache } from './ports/chart-facts-cache.ts';
import type { PreflightCache } from './ports/preflight-cache.ts';

/** What one worker process holds for all of its runs; each run gets ports made from it, bound to its own tenant. */
export type WorkerAdapters = Readonly<{
  db: TenantDb;
  keys: KeyRing;
  store: UnitStore;
  clock: Clock;
  clusters: Clusters;
  preflights: PreflightCache;
  artifacts: ArtifactStore;
  /** A renderer for one tenant. */
  renderFor(scope: TenantScope): Render;
  bucket: Bucket;
  helm: Readonly<{
    /** Null where no pinned helm is at hand. */
    program: HelmProgram | null;
    patch: PatchTools;
    facts: ChartFactsCache;
  }>;
  charts: Readonly<{ http: EgressHttp; workDir: string; allowHttpHosts: readonly string[] }>;
  /** Folder in which artifacts are composed. */
  composeDir: string;
  registry: Registry;
  sigstore: Sigstore;
  patterns: Patterns;
  /** Looks at Git remotes of this process. */
  looks: Looks;
  /** Writes to Git of this process, by branch. */
  writeQueues: WriteQueues;
  pullRequests: PullRequests;
  git: Readonly<{
    mirrorsDir: string;
    workDir: string;
    launcher: Launcher;
    path: string;
    allowHttp: boolean;
    egress: Egress;
    maxMirrorBytes: number;
    lowSpeedSeconds: number;
  }>;
}>;

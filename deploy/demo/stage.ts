import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type LocalAuthority, openLocalAuthority } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { type GitServer, startGitServer } from '#deploy/local/git-server.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths, type ToolPaths } from '#deploy/local/tool-paths.ts';
import type { Narrator } from './narrator.ts';
import { type RunningPlane, startPlane } from './plane-process.ts';

/** Every real part of the demo. */
export type Stage = Readonly<{
  dir: string;
  tools: Pick<ToolPaths, (typeof TOOLS)[number]>;
  authority: LocalAuthority;
  clusters: readonly RunningCluster[];
  git: GitServer;
  /** Null where this machine has no registry program. */
  registry: RegistryServer | null;
  plane: RunningPlane;
  stop(): Promise<void>;
}>;

export const clusterNames: readonly string[] = Object.freeze(['north', 'south']);
const NODES = 3;
const TOOLS = [
  ...(['etcd', 'kubeApiserver', 'kubeControllerManager', 'kubeScheduler', 'kwok', 'kubectl'] as const),
  ...(['kustomize', 'helm', 'helmInside', 'redis', 'bwrap', 'registry'] as const),
] as const;

/**
 * Sets up and starts all parts: tools (built or fetched the first time), two whole clusters, a git server, and the plane as `npm start` runs it, with an identity provider.
 * `stop` ends every process. What was started before a failure is ended by the caller's record of children.
 */
export async function startStage(children: Children, narrator: Narrator, root: string): Promise<Stage> {
  const tooling = narrator.step('tools: kustomize, helm, etcd, Kubernetes, kwok, Redis');
  const tools = await loadToolPaths({ only: TOOLS });
  tooling();
  const dir = resolve(root);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const stateDir = join(dir, 'plane');
  await mkdir(stateDir, { recursive: true, mode: 0o755 });
  const authority = await openLocalAuthority(join(stateDir, 'ca'), 'Weir demo CA');
  const starting = narrator.step('two workload clusters, a git server, an OCI registry and the plane');
  const [clusters, git, registry, plane] = await Promise.all([
    Promise.all(
      clusterNames.map((name) =>
        startCluster(children, { dir: join(dir, `cluster-${name}`), name, controllers: true, tools, nodes: NODES }),
      ),
    ),
    startGitServer(children, { dir: join(dir, 'git'), authority }),
    tools.registry === null ? null : startRegistry(children, { dir: join(dir, 'registry'), program: tools.registry, authority }),
    startPlane(children, { stateDir, logFile: join(dir, 'plane.log') }),
  ]);
  starting({ plane: plane.url, clusters: clusters.map((one) => one.server) });
  return Object.freeze({
    dir,
    tools,
    authority,
    clusters,
    git,
    registry,
    plane,
    stop: async () => {
      await plane.stop();
      await git.stop();
      await registry?.stop();
      await Promise.all(clusters.map((one) => one.stop()));
    },
  });
}

import { mkdir, readdir } from 'node:fs/promises';
import type { Children } from '#deploy/local/children.ts';
import type { ClusterAdmin } from '#deploy/local/cluster-api.ts';
import { type Kubeconfig, writeClusterFiles } from '#deploy/local/cluster-files.ts';
import { createNodes, waitForControllers } from '#deploy/local/cluster-nodes.ts';
import { startControllers, startEtcd, startKubeApiserver } from '#deploy/local/cluster-programs.ts';
import { freePort } from '#deploy/local/ports.ts';
import type { RunningProcess } from '#deploy/local/process.ts';
import type { ToolPaths } from '#deploy/local/tool-paths.ts';

type ApiTools = Pick<ToolPaths, 'etcd' | 'kubeApiserver'>;
type AllTools = ApiTools & Pick<ToolPaths, 'kubeControllerManager' | 'kubeScheduler' | 'kwok'>;

export type ClusterOptions = Readonly<{
  /** An empty or absent folder: a cluster starts empty and leaves its logs there. */
  dir: string;
  name: string;
}> &
  (
    | Readonly<{ controllers: false; tools: ApiTools }>
    /** With controllers, scheduler, and `nodes` fake machines (at most 250): what is applied comes to life. */
    | Readonly<{ controllers: true; tools: AllTools; nodes: number }>
  );

export type RunningCluster = Readonly<{
  name: string;
  /** https://127.0.0.1:PORT */
  server: string;
  caPem: string;
  admin: ClusterAdmin;
  /** A user in system:masters, by client certificate. */
  adminKubeconfig: Kubeconfig;
  adminKubeconfigPath: string;
  /** JSON lines, level Metadata; reads by the cluster's own parts are left out. */
  auditLogPath: string;
  pids(): readonly number[];
  /** An outage: nothing answers at the address any more, data stays. */
  stopApiServer(): Promise<void>;
  /** Ends the outage, same port, same data. */
  startApiServer(): Promise<void>;
  /** Stops all of it; files stay. Stopping twice is harmless. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const controllersTimeoutMs = 120_000;

/** One real workload cluster on a fresh port of 127.0.0.1. Throws, with nothing left running, when a part does not come up. */
export async function startCluster(children: Children, options: ClusterOptions): Promise<RunningCluster> {
  const { dir, name, tools } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if ((await readdir(dir)).length > 0) throw new Error(`a cluster starts in an empty folder, ${dir} is not; remove it first`);
  const port = await freePort();
  const files = await writeClusterFiles(dir, name, port);
  let apiServer: RunningProcess | null = null;
  let others: readonly RunningProcess[] = [];
  let etcd: RunningProcess | null = null;

  const parts = (): readonly RunningProcess[] => [...others, apiServer, etcd].filter((part) => part !== null);
  const stopApiServer = async (): Promise<void> => {
    await apiServer?.stop('SIGKILL');
    apiServer = null;
  };
  const startApiServer = async (): Promise<void> => {
    apiServer ??= await startKubeApiserver(children, tools.kubeApiserver, files, name, port);
  };
  // Killed, not asked: kube-apiserver would go on answering while watches are open, and nothing here has data to save.
  const stop = async (): Promise<void> => {
    await Promise.all(parts().map((part) => part.stop('SIGKILL')));
  };
  try {
    etcd = await startEtcd(children, tools.etcd, files, name);
    await startApiServer();
    if (options.controllers) {
      others = await startControllers(children, options.tools, files, name);
      const failed = Promise.race(parts().map(async (part): Promise<never> => Promise.reject(await part.failure())));
      await Promise.race([failed, bringToLife(files.admin, name, options.nodes)]);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return Object.freeze({
    name,
    server: files.admin.server,
    caPem: files.admin.caPem,
    admin: files.admin,
    adminKubeconfig: files.adminKubeconfig,
    adminKubeconfigPath: files.paths.adminKubeconfig,
    auditLogPath: files.auditLogPath,
    pids: () => parts().map((part) => part.pid),
    stopApiServer,
    startApiServer,
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

async function bringToLife(admin: ClusterAdmin, name: string, nodes: number): Promise<void> {
  await createNodes(admin, name, nodes);
  await waitForControllers(admin, nodes, controllersTimeoutMs);
}

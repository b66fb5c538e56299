import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Children, isErrno } from '#deploy/local/children.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import type { ClusterFiles } from '#deploy/local/cluster-files.ts';
import { type ProcessSpec, type RunningProcess, startProcess } from '#deploy/local/process.ts';
import type { ToolPaths } from '#deploy/local/tool-paths.ts';

const readyTimeoutMs = 60_000;

/**
 * etcd listens on sockets in the cluster's own folder, not on ports: nobody else can reach the data.
 * The sockets have "ports" because etcd wants host:port even there; names are relative since socket paths are short (107 bytes).
 */
const clientUrl = 'unix://client:1';
const peerUrl = 'unix://peer:1';

/** Starts etcd without fsync: the data of a cluster for demo or test does not outlive a crash of the machine. */
export function startEtcd(children: Children, command: string, files: ClusterFiles, clusterName: string): Promise<RunningProcess> {
  const args = [
    '--name=default',
    `--data-dir=${join(files.paths.dir, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
  return startProcess(children, {
    ...program(files, `etcd of cluster ${clusterName}`, 'etcd', command, args),
    ready: () => isSocket(join(files.paths.dir, 'client:1')),
    readyTimeoutMs,
  });
}

/** Starts kube-apiserver with RBAC, an audit log, and its own service account issuer. Ready when /readyz says ok. */
export function startKubeApiserver(
  children: Children,
  command: string,
  files: ClusterFiles,
  clusterName: string,
  port: number,
): Promise<RunningProcess> {
  const { paths } = files;
  const args = [
    `--etcd-servers=${clientUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${paths.serverCertificate}`,
    `--tls-private-key-file=${paths.serverKey}`,
    `--client-ca-file=${paths.ca}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${paths.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${paths.serviceAccountKey}`,
    '--service-cluster-ip-range=10.0.0.0/16',
    `--audit-policy-file=${paths.auditPolicy}`,
    `--audit-log-path=${files.auditLogPath}`,
    // Nothing but us comes in, a loopback address cannot be an endpoint, and idle work is CPU that the tests lack.
    '--endpoint-reconciler-type=none',
    '--enable-priority-and-fairness=false',
    '--etcd-count-metric-poll-period=0',
    '--profiling=false',
  ];
  return startProcess(children, {
    ...program(files, `kube-apiserver of cluster ${clusterName}`, 'kube-apiserver', command, args),
    ready: () => isApiReady(files),
    readyTimeoutMs,
  });
}

/** Starts what makes Deployments into pods and pods into running ones. Returns the processes in the order to stop them. */
export async function startControllers(
  children: Children,
  tools: Pick<ToolPaths, 'kubeControllerManager' | 'kubeScheduler' | 'kwok'>,
  files: ClusterFiles,
  clusterName: string,
): Promise<readonly RunningProcess[]> {
  const { paths } = files;
  const alive = { ready: async () => true, readyTimeoutMs };
  const specs = [
    program(files, `kwok of cluster ${clusterName}`, 'kwok', tools.kwok, [
      `--kubeconfig=${paths.kwokKubeconfig}`,
      `--config=${paths.kwokStages}`,
      '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
      '--node-lease-duration-seconds=160',
      '--cidr=10.244.0.0/16',
    ]),
    program(files, `kube-scheduler of cluster ${clusterName}`, 'kube-scheduler', tools.kubeScheduler, [
      `--kubeconfig=${paths.schedulerKubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--profiling=false',
    ]),
    program(files, `kube-controller-manager of cluster ${clusterName}`, 'kube-controller-manager', tools.kubeControllerManager, [
      `--kubeconfig=${paths.controllerManagerKubeconfig}`,
      `--root-ca-file=${paths.ca}`,
      `--service-account-private-key-file=${paths.serviceAccountKey}`,
      `--controllers=${controllers.join(',')}`,
      '--concurrent-gc-syncs=4',
      '--concurrent-namespace-syncs=4',
      '--node-monitor-period=30s',
      '--node-monitor-grace-period=10m',
      '--horizontal-pod-autoscaler-sync-period=60s',
      '--pvclaimbinder-sync-period=120s',
      '--leader-elect=false',
      '--secure-port=0',
      '--profiling=false',
    ]),
  ];
  const running: RunningProcess[] = [];
  for (const spec of specs) running.push(await startProcess(children, { ...spec, ...alive }));
  return running;
}

/** What workloads, namespaces, roles and accounts need; without nodes' networks, volumes attached to machines, and certificates for kubelets. */
const controllers = [
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemonset-controller',
  'deployment-controller',
  'disruption-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'horizontal-pod-autoscaler-controller',
  'job-controller',
  'namespace-controller',
  'node-lifecycle-controller',
  'persistentvolume-binder-controller',
  'persistentvolume-protection-controller',
  'persistentvolumeclaim-protection-controller',
  'pod-garbage-collector-controller',
  'replicaset-controller',
  'resourcequota-controller',
  'root-ca-certificate-publisher-controller',
  'service-cidr-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'statefulset-controller',
  'taint-eviction-controller',
  'ttl-after-finished-controller',
  'validatingadmissionpolicy-status-controller',
] as const;

function program(files: ClusterFiles, name: string, short: string, command: string, args: readonly string[]): ProcessSpec {
  const { dir } = files.paths;
  return { name, command, args, cwd: dir, env: { HOME: dir }, logFile: join(dir, `${short}.log`) };
}

/** Whether /readyz answers ok. A server that does not answer yet is not ready; any other trouble is thrown. */
async function isApiReady(files: ClusterFiles): Promise<boolean> {
  try {
    return (await callCluster(files.admin, { method: 'GET', path: '/readyz' })).status === 200;
  } catch (error) {
    if (isErrno(error, 'ECONNREFUSED') || isErrno(error, 'ECONNRESET') || isErrno(error, 'ABORT_ERR')) return false;
    throw error;
  }
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

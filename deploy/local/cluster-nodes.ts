import { setTimeout as sleep } from 'node:timers/promises';
import Type, { type TSchema } from 'typebox';
import Value from 'typebox/value';
import { type ClusterAdmin, callCluster } from '#deploy/local/cluster-api.ts';

const allocatable = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '500Gi' } as const;

/** Registers `count` machines that kwok plays. Throws unless each is created. */
export async function createNodes(admin: ClusterAdmin, clusterName: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    const body = fakeNode(`${clusterName}-node-${number}`, `10.1.0.${number}`);
    const answer = await callCluster(admin, { method: 'POST', path: '/api/v1/nodes', body });
    if (answer.status !== 201) throw new Error(`node ${number} of cluster ${clusterName} was not created: ${JSON.stringify(answer.body)}`);
  }
}

function fakeNode(name: string, address: string): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'node.kubernetes.io/instance-type': 'kwok',
      },
    },
    status: {
      allocatable,
      capacity: allocatable,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        kubeletVersion: 'kwok',
        kubeProxyVersion: '',
        containerRuntimeVersion: 'kwok',
        kernelVersion: 'kwok',
        osImage: 'kwok',
        bootID: '',
        machineID: '',
        systemUUID: '',
      },
    },
  };
}

const ClusterRole = Type.Object({ rules: Type.Union([Type.Array(Type.Unknown()), Type.Null()]) });
const NodeList = Type.Object({
  items: Type.Array(
    Type.Object({
      spec: Type.Object({ taints: Type.Optional(Type.Array(Type.Unknown())) }),
      status: Type.Object({ conditions: Type.Optional(Type.Array(Type.Object({ type: Type.String(), status: Type.String() }))) }),
    }),
  ),
});

/**
 * Returns when tenants' calls can succeed and pods can run: role `admin` has been put together from its parts (empty before, so every call
 * of a tenant would be 403), namespace `default` has its account, and all nodes take pods. Throws what is missing after `timeoutMs`.
 */
export async function waitForControllers(admin: ClusterAdmin, nodes: number, timeoutMs: number): Promise<void> {
  const deadline = AbortSignal.timeout(timeoutMs);
  for (;;) {
    const missing = await whatIsMissing(admin, nodes);
    if (missing === null) return;
    if (deadline.aborted) throw new Error(`the cluster at ${admin.server} was not ready after ${timeoutMs} ms: ${missing}`);
    await sleep(100);
  }
}

async function whatIsMissing(admin: ClusterAdmin, nodes: number): Promise<string | null> {
  const list = await read(admin, '/api/v1/nodes', NodeList);
  const ready = list?.items.filter(({ spec, status }) => {
    const isReady = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
    return isReady && (spec.taints ?? []).length === 0;
  });
  if ((ready?.length ?? 0) < nodes) return `${ready?.length ?? 0} of ${nodes} nodes are Ready`;
  const account = await read(admin, '/api/v1/namespaces/default/serviceaccounts/default', Type.Object({}));
  if (account === null) return 'namespace default has no service account yet';
  const role = await read(admin, '/apis/rbac.authorization.k8s.io/v1/clusterroles/admin', ClusterRole);
  return (role?.rules?.length ?? 0) > 0 ? null : 'ClusterRole admin has no rules yet';
}

async function read<Schema extends TSchema>(admin: ClusterAdmin, path: string, schema: Schema): Promise<Type.Static<Schema> | null> {
  const answer = await callCluster(admin, { method: 'GET', path });
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return Value.Parse(schema, answer.body);
}

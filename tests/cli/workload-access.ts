import { Agent, request } from 'node:https';
import { type ApiAnswer, callCluster } from '#deploy/local/cluster-api.ts';
import { loadOperator, type Operator } from '#services/cli/onboard/operator.ts';
import { openWorkload, type Workload } from '#services/cli/onboard/workload.ts';
import type { SharedCluster } from '#tests/harness/parts.ts';

/** The operator's side of the shared cluster; ends with the block that uses it. */
export async function openOperator(
  cluster: SharedCluster,
): Promise<Readonly<{ operator: Operator; workload: Workload; [Symbol.dispose](): void }>> {
  const signal = new AbortController().signal;
  const operator = await loadOperator({ kubeconfigFiles: [cluster.adminKubeconfigPath], context: null }, signal);
  return { operator, workload: openWorkload(operator.access, signal), [Symbol.dispose]: () => operator.close() };
}

/** One request to the cluster with a bearer token alone. */
export function asToken(cluster: SharedCluster, token: string, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  const agent = new Agent({ ca: cluster.caPem });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, cluster.server), { agent, method, headers, signal: AbortSignal.timeout(10_000) }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.once('end', () => {
        agent.destroy();
        resolve({ status: incoming.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Reads as the cluster's administrator. */
export async function asAdmin(cluster: SharedCluster, path: string): Promise<ApiAnswer> {
  return callCluster(cluster.admin, { method: 'GET', path });
}

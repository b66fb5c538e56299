import { readFile } from 'node:fs/promises';
import { Agent, type AgentOptions } from 'node:https';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { runExecPlugin } from '#services/cli/config/exec-plugin.ts';
import { reasonOf, refused, unanswered } from '#services/cli/failure.ts';
import type { OperatorAccess } from '#services/cli/onboard/workload.ts';

const pluginTimeoutMs = 60_000;

export type OperatorChoice = Readonly<{ kubeconfigFiles: readonly string[]; context: string | null }>;
/** The operator's access, and what the plane may know of the cluster: its address and the certificates it is checked with. */
export type Operator = Readonly<{ context: string; access: OperatorAccess; caPem: string | null; close(): void }>;

/**
 * Loads the operator's own kubeconfig (files and programs that it names included: it is their own) and makes access of the chosen context.
 * Throws CliFailure: no such file or context (exit 2); TLS not verified, or a way of reaching that cannot be kept (exit 1).
 */
export async function loadOperator(choice: OperatorChoice, signal: AbortSignal, limits = { pluginTimeoutMs }): Promise<Operator> {
  const kubeconfig = await loadKubeconfig(choice);
  const context = choice.context ?? kubeconfig.getCurrentContext();
  if (kubeconfig.getContextObject(context) === null) {
    const known = kubeconfig.getContexts().map((one) => one.name);
    throw unanswered(`the kubeconfig has no context ${JSON.stringify(context)}`, {
      next: known.length === 0 ? 'name its file with --kubeconfig' : `name one of these with --context: ${known.join(', ')}`,
    });
  }
  kubeconfig.setCurrentContext(context);
  const cluster = kubeconfig.getCurrentCluster();
  if (cluster === null) throw unanswered(`the context ${JSON.stringify(context)} names a cluster that the kubeconfig does not describe`);
  checkCluster(cluster);
  const { tls, headers } = await credentialOf(kubeconfig, signal, limits);
  const caPem = await readCa(cluster);
  const agent = new Agent({ ...tls, ...(caPem === null ? {} : { ca: caPem }), keepAlive: true, maxSockets: 4 });
  return { context, access: { server: cluster.server, agent, headers }, caPem, close: () => agent.destroy() };
}

async function loadKubeconfig({ kubeconfigFiles }: OperatorChoice): Promise<KubeConfig> {
  // 0.6 s and 80 MB: only for who onboards (libraries.md section 6).
  const library = await import('@kubernetes/client-node');
  const [first, ...others] = kubeconfigFiles;
  if (first === undefined) throw unanswered('there is no kubeconfig file', { next: 'name one with --kubeconfig' });
  try {
    const kubeconfig = new library.KubeConfig();
    kubeconfig.loadFromFile(first);
    for (const file of others) {
      const more = new library.KubeConfig();
      more.loadFromFile(file);
      kubeconfig.mergeConfig(more, true);
    }
    return kubeconfig;
  } catch (error) {
    throw unanswered(
      `the kubeconfig could not be read: ${reasonOf(error)}`,
      { next: 'name another file with --kubeconfig' },
      { cause: error },
    );
  }
}

/** What the plane could not do safely is refused here, before anything is asked or made. */
function checkCluster(cluster: Cluster): void {
  if (cluster.skipTLSVerify === true) {
    throw refused(
      'this kubeconfig skips the verification of the cluster’s certificate (insecure-skip-tls-verify), so anybody in between could take the tokens of every tenant',
      {
        next: 'put the cluster’s CA into the kubeconfig (certificate-authority-data), remove insecure-skip-tls-verify, then run the same command',
      },
    );
  }
  if (!cluster.server.startsWith('https://'))
    throw refused(`the server ${JSON.stringify(cluster.server)} of this kubeconfig is not https: tokens would be sent in the clear`);
  if (cluster.tlsServerName !== undefined && cluster.tlsServerName !== '')
    throw refused('this kubeconfig checks the certificate against another name (tls-server-name), which the plane does not do', {
      next: 'use an address that stands in the server’s certificate',
    });
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== '')
    throw refused('this kubeconfig reaches the cluster through a proxy (proxy-url), which the plane cannot', {
      next: 'run `weir cluster onboard` where the cluster is reached directly',
    });
}

type Credential = Readonly<{ tls: Pick<AgentOptions, 'cert' | 'key'>; headers: Readonly<Record<string, string>> }>;

async function credentialOf(
  kubeconfig: KubeConfig,
  signal: AbortSignal,
  limits: Readonly<{ pluginTimeoutMs: number }>,
): Promise<Credential> {
  const user = kubeconfig.getCurrentUser();
  const plugin = user === null ? null : execOf(user);
  if (plugin !== null) {
    const { token, certificatePem, keyPem } = await runExecPlugin(plugin, { timeoutMs: limits.pluginTimeoutMs }, signal);
    return {
      tls: { ...(certificatePem === null ? {} : { cert: certificatePem }), ...(keyPem === null ? {} : { key: keyPem }) },
      headers: token === null ? {} : bearer(token),
    };
  }
  const options: { cert?: string | Buffer; key?: string | Buffer; headers?: Record<string, string>; auth?: string } = {};
  await within(kubeconfig.applyToHTTPSOptions(options), limits.pluginTimeoutMs);
  const basic = options.auth === undefined ? {} : { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` };
  return {
    tls: { ...(options.cert === undefined ? {} : { cert: options.cert }), ...(options.key === undefined ? {} : { key: options.key }) },
    headers: { ...basic, ...options.headers },
  };
}

function execOf(user: User): Parameters<typeof runExecPlugin>[0] | null {
  const exec: unknown = user.exec;
  if (typeof exec !== 'object' || exec === null) return null;
  const text = (name: string): string => String(Reflect.get(exec, name) ?? '');
  const list = (name: string): readonly unknown[] => {
    const value: unknown = Reflect.get(exec, name);
    return Array.isArray(value) ? value : [];
  };
  const env = list('env').map((one) =>
    typeof one === 'object' && one !== null
      ? { name: String(Reflect.get(one, 'name')), value: String(Reflect.get(one, 'value')) }
      : { name: '', value: '' },
  );
  return {
    apiVersion: text('apiVersion'),
    command: text('command'),
    args: list('args').map(String),
    env: env.filter((one) => one.name !== ''),
  };
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

/** The certificates that check the server, or null when the kubeconfig leaves that to the system. client-node has made the path absolute. */
async function readCa({ caData, caFile }: Cluster): Promise<string | null> {
  if (caData !== undefined && caData !== '') return Buffer.from(caData, 'base64').toString('utf8');
  return caFile === undefined || caFile === '' ? null : readFile(caFile, 'utf8');
}

/** Old auth providers run programs too, without a limit of their own. */
async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(
    () => timer.reject(refused(`the auth provider of the kubeconfig gave no credential within ${timeoutMs / 1_000} s`)),
    timeoutMs,
  );
  try {
    await Promise.race([work, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}

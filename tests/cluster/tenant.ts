import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clusters, type ClustersOptions, createClusters } from '#adapters/kube/clusters.ts';
import type { Change } from '#adapters/kube/watch/live-view.ts';
import { isObject, type JsonObject } from '#core/json.ts';
import { silentLog } from '#core/log.ts';
import type { Applied, ApplyItem, Cluster, ObjectRef, Removed } from '#core/ports.ts';
import type { ClusterAccess } from '#core/store.ts';
import { scopeOfJob, type TenantScope } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { type ApiAnswer, callCluster } from '#deploy/local/cluster-api.ts';
import type { SharedCluster } from '#tests/harness/parts.ts';

/** A cluster's administrator: what people do beside Weir. */
export type Admin = Readonly<{
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  /** As call; throws unless the answer is 2xx. */
  must(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
}>;

export function adminOf(cluster: Pick<SharedCluster, 'admin'>): Admin {
  const call = (method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer> =>
    callCluster(cluster.admin, {
      method,
      path,
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
    });
  return {
    call,
    async must(method, path, body, contentType) {
      const answer = await call(method, path, body, contentType);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 400)}`);
      return answer;
    },
  };
}

/** One tenant on a real cluster, onboarded as `weir cluster onboard` does it: bootstrap account, tenant account, namespaces, roles. */
export type Tenant = Readonly<{
  admin: Admin;
  access: ClusterAccess;
  scope: TenantScope;
  account: Readonly<{ namespace: string; name: string }>;
  user: string;
  bootstrapToken: string;
  bootstrapUser: string;
  bootstrapAccount: Readonly<{ namespace: string; name: string }>;
  /** The namespace it was granted. */
  namespace: string;
}>;

export const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];

/** `rules` are the Role of the tenant's account in its namespace; `clusterRules` a ClusterRole bound to it. */
export async function onboard(
  cluster: SharedCluster,
  options: Readonly<{ rules?: readonly unknown[]; clusterRules?: readonly unknown[]; share?: Tenant }> = {},
): Promise<Tenant> {
  const admin = adminOf(cluster);
  const suffix = randomBytes(4).toString('hex');
  const system = `weir-${suffix}`;
  const namespace = `apps-${suffix}`;
  const account = { namespace: system, name: `tenant-${suffix}` };
  const bootstrapAccount = { namespace: system, name: 'weir-bootstrap' };
  for (const name of [system, namespace]) await admin.must('POST', '/api/v1/namespaces', { metadata: { name } });
  for (const one of [account, bootstrapAccount])
    await admin.must('POST', `/api/v1/namespaces/${system}/serviceaccounts`, { metadata: { name: one.name } });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const bind = async (where: string, kind: 'Role' | 'ClusterRole', role: string, who: string, rules: readonly unknown[]): Promise<void> => {
    await admin.must('POST', `${rbac}/${where}${kind === 'Role' ? 'roles' : 'clusterroles'}`, { metadata: { name: role }, rules });
    await admin.must('POST', `${rbac}/${where}${kind === 'Role' ? 'rolebindings' : 'clusterrolebindings'}`, {
      metadata: { name: role },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
      subjects: [{ kind: 'ServiceAccount', namespace: system, name: who }],
    });
  };
  await bind(`namespaces/${system}/`, 'Role', 'weir-bootstrap', bootstrapAccount.name, [
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'], resourceNames: [account.name, bootstrapAccount.name] },
  ]);
  await bind(`namespaces/${namespace}/`, 'Role', 'tenant', account.name, options.rules ?? everything);
  if (options.clusterRules !== undefined) await bind('', 'ClusterRole', `tenant-${suffix}`, account.name, options.clusterRules);
  const minted = await admin.must('POST', `/api/v1/namespaces/${system}/serviceaccounts/weir-bootstrap/token`, {
    spec: { expirationSeconds: 3600 },
  });
  const access: ClusterAccess = {
    clusterId: randomUUID(),
    ownerTenantId: randomUUID(),
    clusterNamespace: 'weir-system',
    clusterName: cluster.name,
    server: cluster.server,
    caBundle: cluster.caPem,
    labels: {},
    variables: { region: 'eu' },
    paused: false,
    concurrency: 8,
    namespaces: [namespace],
    serviceAccount: account,
    accounts: [],
  };
  return {
    admin,
    access,
    scope: scopeOfJob({ tenantId: randomUUID() }, 'test'),
    account,
    user: `system:serviceaccount:${system}:${account.name}`,
    bootstrapToken: tokenIn(minted.body),
    bootstrapUser: `system:serviceaccount:${system}:${bootstrapAccount.name}`,
    bootstrapAccount,
    namespace,
  };
}

function tokenIn(body: unknown): string {
  const token = field(field(body, 'status'), 'token');
  if (typeof token !== 'string') throw new Error('no token');
  return token;
}

export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value))[key];
}

export function clustersFor(
  tenants: readonly Tenant[],
  options: Partial<ClustersOptions> & Readonly<{ changes?: Change[] }> = {},
): Clusters {
  const { changes, ...rest } = options;
  return createClusters({
    component: 'test',
    version: '0.0.0',
    bootstrap: async (access) => {
      const tenant = tenants.find((one) => one.access.clusterId === access.clusterId);
      if (tenant === undefined) throw new Error('no such cluster');
      return tenant.bootstrapToken;
    },
    clock: systemClock,
    log: silentLog,
    onChange: (change) => void changes?.push(change),
    ...rest,
  });
}

export function bindFor(clusters: Clusters, tenant: Tenant, deliveryId: string): Cluster {
  return clusters.bind({ scope: tenant.scope, access: tenant.access, account: tenant.account, deliveryId });
}

export const never = new AbortController().signal;

/** A manifest as the kustomize worker sends it: with the label of its delivery. */
export function item(
  manifest: JsonObject & { readonly metadata: JsonObject },
  deliveryId: string | null,
  more: Partial<ApplyItem> = {},
): ApplyItem {
  const { metadata } = manifest;
  const labels = isObject(metadata['labels']) ? metadata['labels'] : {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const ref: ObjectRef = {
    apiVersion: text(manifest['apiVersion']),
    kind: text(manifest['kind']),
    namespace: text(metadata['namespace']),
    name: text(metadata['name']),
  };
  const group = ref.apiVersion.includes('/') ? (ref.apiVersion.split('/')[0] ?? '') : '';
  return {
    id: `${ref.namespace}_${ref.name}_${group}_${ref.kind}`,
    ref,
    manifest: {
      ...manifest,
      metadata: { ...metadata, labels: { ...labels, ...(deliveryId === null ? {} : { 'weir.dev/delivery': deliveryId }) } },
    },
    recreate: false,
    mode: 'Override',
    ...more,
  };
}

export function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
): JsonObject & { readonly metadata: JsonObject } {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

export function deployment(
  namespace: string,
  name: string,
  replicas: number,
  image = 'example/app:1',
): JsonObject & { readonly metadata: JsonObject } {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

export async function apply(
  cluster: Cluster,
  items: readonly ApplyItem[],
  options: Readonly<{ dryRun?: boolean; batches?: Applied[][] }> = {},
): Promise<readonly Applied[]> {
  return cluster.apply(
    items,
    {
      dryRun: options.dryRun ?? false,
      beforeBatch: async () => undefined,
      afterBatch: async (results) => void options.batches?.push([...results]),
    },
    never,
  );
}

export async function remove(
  cluster: Cluster,
  deliveryId: string,
  applied: readonly Applied[],
  items: readonly ApplyItem[],
): Promise<readonly Removed[]> {
  const targets = items.map((one) => ({ id: one.id, ref: one.ref, uid: applied.find((each) => each.id === one.id)?.uid ?? '' }));
  return cluster.remove(deliveryId, targets, { beforeBatch: async () => undefined, afterBatch: async () => undefined }, never);
}

export async function until<T>(
  ask: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await ask();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > endMs) throw new Error(`did not come true within ${timeoutMs} ms`);
    await sleep(10);
  }
}

export type AuditLine = Readonly<{
  user: string;
  verb: string;
  uri: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  code: number;
  agent: string;
}>;

/** The cluster's own audit log: who did what, told by the API server and not by us. */
export async function auditOf(path: string, user: string): Promise<readonly AuditLine[]> {
  // The API server buffers lines for a moment.
  await sleep(300);
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.includes(user));
  return lines.flatMap((line) => {
    const event: unknown = JSON.parse(line);
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const object = field(event, 'objectRef');
    if (field(field(event, 'user'), 'username') !== user) return [];
    const code = field(field(event, 'responseStatus'), 'code');
    return [
      {
        user,
        verb: text(field(event, 'verb')),
        uri: text(field(event, 'requestURI')),
        resource: text(field(object, 'resource')),
        subresource: text(field(object, 'subresource')),
        namespace: text(field(object, 'namespace')),
        name: text(field(object, 'name')),
        code: typeof code === 'number' ? code : 0,
        agent: text(field(event, 'userAgent')),
      },
    ];
  });
}

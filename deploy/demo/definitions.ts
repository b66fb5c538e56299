/** What the two tenants write, as their own YAML would say it. Flux's kinds are exactly Flux's; where they run is said by a Placement beside them. */

export type DemoObject = Readonly<{
  apiVersion: string;
  kind: string;
  metadata: Readonly<{ name: string; namespace?: string; labels?: Readonly<Record<string, string>> }>;
}> &
  Readonly<Record<string, unknown>>;

const SOURCE = 'source.toolkit.fluxcd.io/v1';
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
/** Long on purpose: what the story measures comes from webhooks and watches, never from polling. */
const INTERVAL = '10m';

export type TenantPlan = Readonly<{
  name: string;
  /** Namespace in the plane, and the one on the clusters. */
  namespace: string;
  clusterNamespace: string;
  repository: string;
  login: Readonly<{ username: string; password: string }>;
  webhookToken: string;
}>;

export function tenantObject(plan: TenantPlan, members: readonly Readonly<{ subject: string; role: string }>[]): DemoObject {
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'Tenant',
    metadata: { name: plan.name },
    spec: { displayName: plan.name, namespaces: { names: [plan.namespace] }, members },
  };
}

/** Namespace, credentials, source and webhook of a tenant. */
export function commonObjects(plan: TenantPlan, gitUrl: string, caPem: string): readonly DemoObject[] {
  const { namespace } = plan;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'git-login', namespace }, stringData: { ...plan.login, 'ca.crt': caPem } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'webhook', namespace }, stringData: { token: plan.webhookToken } },
    {
      apiVersion: SOURCE,
      kind: 'GitRepository',
      metadata: { name: plan.repository, namespace },
      spec: { url: gitUrl, interval: INTERVAL, ref: { branch: 'main' }, secretRef: { name: 'git-login' } },
    },
    {
      apiVersion: 'notification.toolkit.fluxcd.io/v1',
      kind: 'Receiver',
      metadata: { name: 'git-push', namespace },
      spec: {
        type: 'generic-hmac',
        secretRef: { name: 'webhook' },
        resources: [{ apiVersion: SOURCE, kind: 'GitRepository', name: plan.repository }],
      },
    },
  ];
}

type Kustomize = Readonly<{ name: string; path: string; targetNamespace: string; wait?: boolean }>;

export function kustomization(plan: TenantPlan, { name, path, targetNamespace, wait }: Kustomize): DemoObject {
  return {
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name, namespace: plan.namespace },
    spec: {
      interval: INTERVAL,
      timeout: '2m',
      sourceRef: { kind: 'GitRepository', name: plan.repository },
      path,
      prune: true,
      wait: wait ?? true,
      targetNamespace,
      postBuild: { substitute: { team: plan.name } },
    },
  };
}

export function placement(
  plan: TenantPlan,
  name: string,
  definitions: readonly string[],
  clusters: Readonly<Record<string, unknown>>,
): DemoObject {
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'Placement',
    metadata: { name, namespace: plan.namespace },
    spec: { definitions: { kinds: ['Kustomization'], names: definitions }, clusters },
  };
}

import type { BindOptions, BindPrivateOptions } from '#adapters/kube/clusters.ts';
import type { ReleaseAccess } from '#adapters/kube/release-access.ts';
import { HELM_MANAGER } from '#adapters/kube/ssa/managers.ts';
import { accountFor, kubeconfigSecret } from '#core/account.ts';
import { CLUSTER_IS_BACK } from '#core/consequences.ts';
import { AppError, TerminalError } from '#core/errors.ts';
import { textAt } from '#core/json.ts';
import type { Cluster } from '#core/ports.ts';
import type { LoadedUnit } from '#core/reconcile/store.ts';
import type { SecretMask } from '#core/secret-mask.ts';
import type { Run, StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';
import { secretsFor } from './secrets.ts';

export type Asking = Readonly<{ adapters: WorkerAdapters; scope: TenantScope; run: Run; unit: LoadedUnit; mask: SecretMask }>;
type Target = Readonly<{ is: 'shared'; bound: BindOptions }> | Readonly<{ is: 'private'; bound: BindPrivateOptions }>;

/**
 * The delivery's cluster, as the one account the definition may act as. Throws TerminalError AccessDenied (account not registered, cluster withdrawn), ClusterPaused;
 * AppError buildFailed for a kubeconfig Secret that is missing. There is no fallback identity.
 */
export async function clusterFor(asking: Asking): Promise<Cluster> {
  const { clusters } = asking.adapters;
  const target = await targetOf(asking);
  return target.is === 'shared' ? clusters.bind(target.bound) : clusters.bindPrivate(target.bound);
}

/** The way of Helm to the same cluster, as the same account. Throws as `clusterFor`. */
export async function releasesFor(asking: Asking): Promise<ReleaseAccess> {
  const { clusters } = asking.adapters;
  const target = await targetOf(asking);
  return target.is === 'shared' ? clusters.releases(target.bound) : clusters.releasesPrivate(target.bound);
}

async function targetOf(asking: Asking): Promise<Target> {
  const { scope, run, unit } = asking;
  const { definition, delivery, access } = unit;
  if (delivery === null || run.clusterId === null) throw new Error('a definition has no cluster');
  const secret = kubeconfigSecret(definition);
  if (secret !== null) return { is: 'private', bound: await privateCluster(asking, run.clusterId, definition, delivery, secret) };
  if (access === null)
    throw new TerminalError('AccessDenied', 'this cluster was withdrawn from the tenant: ask its owner for a ClusterGrant');
  if (access.paused)
    throw new TerminalError(
      'ClusterPaused',
      `cluster ${access.clusterName} is paused (spec.paused): nothing on it changes until it is resumed`,
    );
  const account = accountFor(access, definition);
  return {
    is: 'shared',
    bound: { scope, access, account, deliveryId: delivery.uid, isBack: run.cause === CLUSTER_IS_BACK, ...managerOf(definition) },
  };
}

/** What helm applied stays helm's: a correction writes as helm, so that its next upgrade may take a field away. */
function managerOf(definition: StoredObject): Readonly<{ fieldManager?: string }> {
  return definition.kind === 'HelmRelease' ? { fieldManager: HELM_MANAGER } : {};
}

async function privateCluster(
  { adapters, scope, mask }: Asking,
  clusterId: string,
  definition: StoredObject,
  delivery: StoredObject,
  secret: Readonly<{ name: string; key: string | null }>,
): Promise<BindPrivateOptions> {
  const data = await secretsFor(adapters, scope, mask).read(definition.namespace, secret.name);
  const shown = `spec.kubeConfig.secretRef: Secret '${definition.namespace}/${secret.name}'`;
  if (data === null) throw new AppError('clusterAnswer', `${shown} not found: create it with a kubeconfig under the key value`);
  const bytes = secret.key === null ? (data['value'] ?? data['value.yaml']) : data[secret.key];
  if (bytes === undefined) throw new AppError('clusterAnswer', `${shown} has no key ${secret.key ?? 'value or value.yaml'}`);
  const account = textAt(definition.body, 'spec', 'serviceAccountName');
  return {
    scope,
    clusterId,
    clusterName: textAt(delivery.body, 'spec', 'cluster', 'name') ?? secret.name,
    kubeconfig: new TextDecoder().decode(bytes),
    account: account === undefined ? null : { namespace: definition.namespace, name: account },
    deliveryId: delivery.uid,
    ...managerOf(definition),
  };
}

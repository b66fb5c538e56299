import { TerminalError } from './errors.ts';
import { textAt } from './json.ts';
import type { ClusterAccess, StoredObject } from './store.ts';

export type ServiceAccount = Readonly<{ namespace: string; name: string }>;

/**
 * The account a definition acts as on a cluster: `spec.serviceAccountName` in the namespace of the same name, which must be registered by a ClusterAccount, else the tenant's
 * default account. There is no other identity: what is not registered is stalled, AccessDenied (threats F8). Pure; the same rule in API and worker.
 */
export function accountFor(access: ClusterAccess, definition: StoredObject): ServiceAccount {
  const name = textAt(definition.body, 'spec', 'serviceAccountName');
  if (name === undefined) return access.serviceAccount;
  const registered = access.accounts.find((one) => one.namespace === definition.namespace && one.name === name);
  if (registered !== undefined) return registered;
  throw new TerminalError(
    'AccessDenied',
    `spec.serviceAccountName ${name}: no ClusterAccount registers the account ${definition.namespace}/${name} on cluster ${access.clusterName}; create one, or remove the field to use the tenant's default account`,
  );
}

/** The kubeconfig Secret of a private cluster, or null when the definition runs on placed clusters. */
export function kubeconfigSecret(definition: StoredObject): Readonly<{ name: string; key: string | null }> | null {
  const name = textAt(definition.body, 'spec', 'kubeConfig', 'secretRef', 'name');
  return name === undefined ? null : { name, key: textAt(definition.body, 'spec', 'kubeConfig', 'secretRef', 'key') ?? null };
}

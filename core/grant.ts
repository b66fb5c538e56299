import { at, isObject, type Json, textAt } from './json.ts';
import type { ClusterAccess, StoredObject } from './store.ts';

/** One tenant's access to one cluster. */
export type Projected = Readonly<{ tenantId: string; access: ClusterAccess }>;
type Account = Readonly<{ namespace: string; name: string }>;
type Known = Readonly<{
  cluster: StoredObject;
  /** ClusterGrants of the cluster's owner in its namespace; those that name another cluster are passed over. */
  grants: readonly StoredObject[];
  /** ClusterAccounts that mean this cluster, of any tenant. */
  accounts: readonly StoredObject[];
  /** Tenant id by name. A grant may name a tenant that is not there (yet). */
  tenants: ReadonlyMap<string, string>;
}>;

const defaultConcurrency = 16;

/**
 * Who may use a cluster now, from its grants: namespaces of several entries for a tenant are united, the first names its default account; further accounts
 * count when their namespace is within what was granted. In tenant order. Pure.
 */
export function projectAccess({ cluster, grants, accounts, tenants }: Known): readonly Projected[] {
  const found = new Map<string, { namespaces: Set<string>; account: Account }>();
  for (const grant of grants) {
    if ((textAt(grant.body, 'spec', 'cluster') ?? grant.name) !== cluster.name) continue;
    for (const entry of listAt(grant.body, 'spec', 'tenants')) {
      const tenantId = tenants.get(textAt(entry, 'tenant') ?? '');
      const account = accountOf(textAt(entry, 'serviceAccount', 'namespace'), textAt(entry, 'serviceAccount', 'name'));
      if (tenantId === undefined || account === null) continue;
      const held = found.get(tenantId) ?? { namespaces: new Set<string>(), account };
      for (const namespace of listAt(entry, 'namespaces')) if (typeof namespace === 'string') held.namespaces.add(namespace);
      found.set(tenantId, held);
    }
  }
  return [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([tenantId, held]) => {
      const namespaces = [...held.namespaces].toSorted();
      const mine = accounts.filter((one) => one.tenantId === tenantId);
      return {
        tenantId,
        access: { ...factsOf(cluster), namespaces, serviceAccount: held.account, accounts: approved(mine, held.namespaces) },
      };
    });
}

function approved(accounts: readonly StoredObject[], namespaces: ReadonlySet<string>): readonly Account[] {
  const found = accounts.map((one) => accountOf(textAt(one.body, 'spec', 'namespace'), textAt(one.body, 'spec', 'serviceAccountName')));
  return found.filter((one) => one !== null).filter((one) => namespaces.has(one.namespace));
}

function accountOf(namespace: string | undefined, name: string | undefined): Account | null {
  return namespace === undefined || name === undefined ? null : { namespace, name };
}

function factsOf(cluster: StoredObject): Omit<ClusterAccess, 'namespaces' | 'serviceAccount' | 'accounts'> {
  const concurrency = at(cluster.body, 'spec', 'concurrency');
  const variables = at(cluster.body, 'spec', 'variables');
  const texts = Object.entries(isObject(variables) ? variables : {}).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
  return {
    clusterId: cluster.uid,
    ownerTenantId: cluster.tenantId,
    clusterNamespace: cluster.namespace,
    clusterName: cluster.name,
    server: textAt(cluster.body, 'spec', 'server') ?? '',
    caBundle: textAt(cluster.body, 'spec', 'caBundle') ?? '',
    labels: cluster.labels,
    variables: Object.fromEntries(texts),
    paused: at(cluster.body, 'spec', 'paused') === true,
    concurrency: typeof concurrency === 'number' && Number.isSafeInteger(concurrency) ? concurrency : defaultConcurrency,
  };
}

function listAt(value: Json, ...path: readonly string[]): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

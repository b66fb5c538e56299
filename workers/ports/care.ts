import { putCredential, readCredential } from '#adapters/postgres/cluster-access.ts';
import { listObjects } from '#adapters/postgres/objects.ts';
import { AppError } from '#core/errors.ts';
import { at, canonicalJson, isObject, type Json, textAt } from '#core/json.ts';
import type { ClusterCare, ClusterProbe } from '#core/ports.ts';
import type { ClusterAccess, StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

type Granted = Readonly<{ tenant: string; account: Readonly<{ namespace: string; name: string }>; namespaces: readonly string[] }>;

/** How the owner of a Cluster watches over it. Runs in the owner's scope; other tenants' rows are not touched. */
export function careFor(adapters: WorkerAdapters, scope: TenantScope, cluster: StoredObject): ClusterCare {
  const access = ownAccess(scope, cluster);
  const { db, keys } = adapters;
  return Object.freeze({
    probe: async (signal: AbortSignal): Promise<ClusterProbe> => {
      const found = await db.inTenant(scope, async (tx) => ({
        credential: await readCredential(tx, keys, cluster.uid),
        grants: await listObjects(tx, { kind: 'ClusterGrant', namespaces: [cluster.namespace] }),
      }));
      if (found.credential === null) {
        return {
          is: 'credentialMissing',
          message: `no bootstrap token yet: run \`weir cluster onboard --name ${cluster.name}\` with the cluster's kubeconfig`,
          version: null,
          credential: null,
          accounts: [],
        };
      }
      const { issuedAtMs, expiresAtMs } = found.credential;
      const beat = await adapters.clusters.care({ scope, access }).heartbeat(signal);
      const accounts = beat.is === 'ready' ? await preflight(adapters, scope, access, grantsOf(cluster, found.grants), signal) : [];
      return { is: beat.is, message: beat.message, version: beat.version, credential: { issuedAtMs, expiresAtMs }, accounts };
    },
    renew: async (signal: AbortSignal) => {
      const { token, issuedAtMs, expiresAtMs } = await adapters.clusters.care({ scope, access }).renew(access.serviceAccount, signal);
      await db.inTenant(scope, (tx) => putCredential(tx, keys, cluster.uid, token, { issuedAtMs, expiresAtMs }));
      return { issuedAtMs, expiresAtMs };
    },
  });
}

/** The owner's own view of the cluster: the bootstrap account, and no namespace at all. */
function ownAccess(scope: TenantScope, cluster: StoredObject): ClusterAccess {
  return {
    clusterId: cluster.uid,
    ownerTenantId: scope.tenantId,
    clusterNamespace: cluster.namespace,
    clusterName: cluster.name,
    server: textAt(cluster.body, 'spec', 'server') ?? '',
    caBundle: textAt(cluster.body, 'spec', 'caBundle') ?? '',
    labels: cluster.labels,
    variables: {},
    paused: at(cluster.body, 'spec', 'paused') === true,
    concurrency: 1,
    namespaces: [],
    serviceAccount: {
      namespace: textAt(cluster.body, 'spec', 'bootstrap', 'namespace') ?? 'weir-system',
      name: textAt(cluster.body, 'spec', 'bootstrap', 'serviceAccountName') ?? 'weir-bootstrap',
    },
    accounts: [],
  };
}

function grantsOf(cluster: StoredObject, grants: readonly StoredObject[]): readonly Granted[] {
  return grants
    .filter((grant) => (textAt(grant.body, 'spec', 'cluster') ?? grant.name) === cluster.name)
    .flatMap((grant) => {
      const tenants = at(grant.body, 'spec', 'tenants');
      return (Array.isArray(tenants) ? tenants : []).flatMap(grantedOf);
    });
}

function grantedOf(entry: Json): readonly Granted[] {
  const tenant = textAt(entry, 'tenant');
  const namespace = textAt(entry, 'serviceAccount', 'namespace');
  const name = textAt(entry, 'serviceAccount', 'name');
  const namespaces = at(entry, 'namespaces');
  if (!isObject(entry) || tenant === undefined || namespace === undefined || name === undefined || !Array.isArray(namespaces)) return [];
  return [{ tenant, account: { namespace, name }, namespaces: namespaces.filter((one) => typeof one === 'string') }];
}

/** Every right that is missing, of every granted account, asked as that account. An account that cannot be asked is shown as such, and does not hide the others. */
async function preflight(
  adapters: WorkerAdapters,
  scope: TenantScope,
  access: ClusterAccess,
  granted: readonly Granted[],
  signal: AbortSignal,
): Promise<ClusterProbe['accounts']> {
  const key = canonicalJson([scope.tenantId, access.clusterId, granted]);
  const known = adapters.preflights.get(key);
  if (known !== null) return known;
  const care = adapters.clusters.care({ scope, access });
  const checked: { tenant: string; account: string; missing: readonly string[]; message: string }[] = [];
  for (const one of granted) {
    const account = `${one.account.namespace}/${one.account.name}`;
    try {
      const { missing, message } = await care.preflight(one.account, one.namespaces, signal);
      checked.push({ tenant: one.tenant, account, missing, message });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      checked.push({ tenant: one.tenant, account, missing: [error.message.slice(0, 500)], message: error.message });
    }
  }
  adapters.preflights.put(key, checked);
  return checked;
}

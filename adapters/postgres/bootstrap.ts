import { silentLog } from '#core/log.ts';
import { PLATFORM_NAMESPACE, PLATFORM_TENANT_ID, scopeOfOwner } from '#core/tenant.ts';
import { putNamespace, putTenantDirectory } from './directory.ts';
import { getObject, insertObject, noConsequences } from './objects.ts';
import { numberOf, onlyRow } from './rows.ts';
import { openTenantDb } from './tenant-db.ts';

/** The platform tenant with its namespace `weir-system`, written in its own scope as the application role. Idempotent. */
export async function bootstrapPlatform(appUrl: string): Promise<void> {
  const db = await openTenantDb({ url: appUrl, maxConnections: 1, log: silentLog });
  const scope = scopeOfOwner({ ownerTenantId: PLATFORM_TENANT_ID }, { name: 'weir', via: 'worker' });
  try {
    await db.inTenant(scope, async (tx) => {
      await putTenantDirectory(tx, {
        name: PLATFORM_NAMESPACE,
        suspended: false,
        namespaces: { names: [PLATFORM_NAMESPACE], prefixes: [] },
        members: [],
        groups: [],
      });
      await putNamespace(tx, PLATFORM_NAMESPACE);
      // Behind the lock of the directory, so that the second of two migrators sees what the first one wrote.
      if ((await getObject(tx, { kind: 'Namespace', namespace: '', name: PLATFORM_NAMESPACE })) !== null) return;
      const createdAtMs = numberOf(onlyRow(await tx.query('select clock_timestamp() as now')), 'now');
      await insertObject(tx, { ...platformNamespace, createdAtMs }, noConsequences);
    });
  } finally {
    await db.close();
  }
}

const platformNamespace = Object.freeze({
  kind: 'Namespace',
  uid: '00000000-0000-4000-8000-000000000002',
  namespace: '',
  name: PLATFORM_NAMESPACE,
  generation: 1,
  labels: { 'kubernetes.io/metadata.name': PLATFORM_NAMESPACE, 'toolkit.fluxcd.io/tenant': PLATFORM_NAMESPACE },
  annotations: {},
  finalizers: [],
  ownerReferences: [],
  managedFields: [],
  body: { spec: { finalizers: ['kubernetes'] } },
  status: { phase: 'Active' },
  createdBy: 'weir',
  refs: [],
  unit: null,
});

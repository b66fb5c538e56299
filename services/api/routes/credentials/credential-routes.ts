import { appendAudit } from '#adapters/postgres/audit.ts';
import { type CredentialTimes, putCredential, readCredential } from '#adapters/postgres/cluster-access.ts';
import { getObject } from '#adapters/postgres/objects.ts';
import { rollbackWith, type TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { triggerUnit } from '#adapters/postgres/work-rows.ts';
import type { JsonObject } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import { rfc3339 } from '#core/time.ts';
import { resource } from '#kinds/cluster/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { readCredentialPost } from '#services/api/routes/credentials/credential-post.ts';
import { isDryRun } from '#services/api/routes/token/dry-run.ts';
import { type Answer, jsonAnswer, type SignedInCall } from '#services/api/wire/call.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import type { Route } from '#services/api/wire/route.ts';
import { objectNotFound } from '#services/api/wire/status.ts';

type CredentialDeps = Pick<ApiDeps, 'db' | 'keys' | 'clock'>;

const url = '/apis/weir.dev/v1/namespaces/:namespace/clusters/:name/credentials';

/** The bootstrap token of a cluster: written here, sealed at once, and never shown again; reading tells its age (design.md section 5). */
export function credentialRoutes(deps: CredentialDeps): readonly Route[] {
  const subresource = resource.subresources.find((one) => one.name === 'credentials');
  if (subresource === undefined) throw new Error('Cluster has no subresource credentials');
  return [
    {
      method: 'GET',
      url,
      permission: { is: 'resource', resource, subresource, verb: 'get' },
      audit: 'credentials',
      handler: (call: SignedInCall, grant: Grant) => showAges(deps, call, grant),
    },
    {
      method: 'POST',
      url,
      permission: { is: 'resource', resource, subresource, verb: 'create' },
      audit: 'credentials',
      maxBodyBytes: 65_536,
      handler: (call: SignedInCall, grant: Grant) => replace(deps, call, grant),
    },
  ];
}

async function showAges(deps: CredentialDeps, call: SignedInCall, grant: Grant): Promise<Answer> {
  const times = await deps.db.inTenant(
    scopeOf(grant),
    async (tx) => {
      const cluster = await clusterOf(tx, call);
      return readCredential(tx, deps.keys, cluster.uid);
    },
    { readOnly: true },
  );
  return jsonAnswer(200, shown(call, times));
}

async function replace(deps: CredentialDeps, call: SignedInCall, grant: Grant): Promise<Answer> {
  const { name = '' } = call.params;
  const { token, ...times } = readCredentialPost(call.body, { name, nowMs: deps.clock.nowMs() });
  const dryRun = isDryRun(call.query);
  await deps.db.inTenant(scopeOf(grant), async (tx) => {
    const cluster = await clusterOf(tx, call);
    await putCredential(tx, deps.keys, cluster.uid, token, times);
    await note(tx, call, cluster, times);
    await triggerUnit(tx, cluster.uid, 'credential');
    return dryRun ? rollbackWith(undefined) : undefined;
  });
  return jsonAnswer(201, shown(call, times));
}

function scopeOf(grant: Grant): Extract<Grant, { is: 'one' }>['scope'] {
  if (grant.is !== 'one') throw new Error('a credential belongs to one cluster');
  return grant.scope;
}

async function clusterOf(tx: TenantTx, call: SignedInCall): Promise<StoredObject> {
  const { namespace = '', name = '' } = call.params;
  const cluster = await getObject(tx, { kind: 'Cluster', namespace, name });
  if (cluster === null) throw objectNotFound(resource, name);
  return cluster;
}

async function note(tx: TenantTx, call: SignedInCall, cluster: StoredObject, times: CredentialTimes): Promise<void> {
  await appendAudit(tx, {
    actor: tx.actor.name,
    via: tx.actor.via,
    verb: 'create',
    kind: 'Cluster/credentials',
    namespace: cluster.namespace,
    name: cluster.name,
    requestId: call.auditId,
    beforeDigest: null,
    afterDigest: null,
    detail: { expiresAt: rfc3339(times.expiresAtMs) },
  });
}

function shown(call: SignedInCall, times: CredentialTimes | null): JsonObject {
  const { namespace = '', name = '' } = call.params;
  const status =
    times === null ? { present: false } : { present: true, issuedAt: rfc3339(times.issuedAtMs), expiresAt: rfc3339(times.expiresAtMs) };
  return { apiVersion: 'weir.dev/v1', kind: 'ClusterCredentials', metadata: { name, namespace }, status };
}

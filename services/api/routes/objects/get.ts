import { getObject } from '#adapters/postgres/objects.ts';
import type { Resource } from '#core/resource.ts';
import { sharedClusters } from '#services/api/auth/shared-clusters.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { auditReveal } from '#services/api/read/audit-read.ts';
import { objectAnswer } from '#services/api/read/list-answer.ts';
import { versionOf } from '#services/api/read/list-options.ts';
import { present } from '#services/api/read/present.ts';
import { partsOf } from '#services/api/read/reading.ts';
import { waitForVersion } from '#services/api/read/wait-for-version.ts';
import { negotiate, type View } from '#services/api/wire/accept.ts';
import type { Answer, SignedInCall } from '#services/api/wire/call.ts';
import { toWire } from '#services/api/wire/object.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';
import { objectNotFound } from '#services/api/wire/status.ts';

/** GET of one object. Reading the values of a Secret is audited before they are opened. */
export function getHandler(deps: ApiDeps, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const { name = '', namespace = '' } = call.params;
    const view = negotiate(call.headers.accept, 'objects');
    const version = versionOf(call.query);
    if (grant.is === 'shared') return sharedAnswer(deps, resource, call, view);
    const [part] = partsOf(resource, grant, call);
    if (part === undefined) throw objectNotFound(resource, name);
    const { scope, ownKey } = part;
    const reveal = part.reveal && view.as === 'whole';
    await waitForVersion(deps, scope, version, call.signal);
    if (reveal) await auditReveal(deps, call, [part], { kind: resource.kind, verb: 'get', namespace, name });
    const wire = await deps.db.inTenant(
      scope,
      async (tx) => {
        const object = await getObject(tx, { kind: resource.kind, namespace: resource.scope === 'Cluster' ? '' : namespace, name });
        if (object === null || (ownKey !== null && object.createdBy !== ownKey)) return null;
        return present(tx, deps.keys, resource, object, reveal);
      },
      { readOnly: true },
    );
    if (wire === null) throw objectNotFound(resource, name);
    return objectAnswer({ resource, view, query: call.query, wire, nowMs: deps.clock.nowMs() });
  };
}

/** A Cluster of the platform, for a member of a tenant that it was granted to. */
async function sharedAnswer(deps: ApiDeps, resource: Resource, call: SignedInCall, view: View): Promise<Answer> {
  const { name = '' } = call.params;
  const [found] = await sharedClusters(deps.db, call.principal, name);
  if (found === undefined) throw objectNotFound(resource, name);
  return objectAnswer({ resource, view, query: call.query, wire: toWire(resource, found), nowMs: deps.clock.nowMs() });
}

import { matchesLabels } from '#core/label-selector.ts';
import type { Resource } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { authorize, type TenantScope } from '#core/tenant.ts';
import { principalKey } from '#services/api/auth/principal-key.ts';
import { canRead } from '#services/api/auth/visibility.ts';
import type { Selectors } from '#services/api/read/list-options.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';
import { matchesFields } from '#services/api/wire/field-selector.ts';
import type { Grant } from '#services/api/wire/grant.ts';

/** One tenant's part of a read. */
export type ReadPart = Readonly<{
  scope: TenantScope;
  /** Null: cluster-scoped objects. */
  namespaces: readonly string[] | null;
  /** Only objects made by this principal; null: all. */
  ownKey: string | null;
  /** Secret values may be shown. */
  reveal: boolean;
}>;

/** What a list or watch covers. */
export type Reading = Readonly<{ resource: Resource; parts: readonly ReadPart[]; selectors: Selectors }>;

/** The parts of a grant that are rows of tenants; `shared` has no rows of its own, only the version of a snapshot. */
export function partsOf(resource: Resource, grant: Grant, call: SignedInCall): readonly ReadPart[] {
  const ownKey = principalKey(call.principal);
  const isSecret = resource.secretFields.length > 0;
  const reveals = (scope: TenantScope, tenantName: string): boolean =>
    isSecret && canRead(call.principal, resource, { tenantId: scope.tenantId, tenantName });
  switch (grant.is) {
    case 'shared':
      return call.principal.memberships.flatMap(({ tenantId, tenantName }) => {
        const answer = authorize(call.principal, { verb: 'list', resource, tenantId, tenantName });
        return answer.allowed ? [{ scope: answer.scope, namespaces: [], ownKey: null, reveal: false }] : [];
      });
    case 'one':
      return [
        {
          scope: grant.scope,
          namespaces: resource.scope === 'Cluster' ? null : [call.params.namespace ?? ''],
          ownKey: grant.onlyOwn ? ownKey : null,
          reveal: reveals(grant.scope, grant.tenantName),
        },
      ];
    case 'across':
      return grant.parts.map((part) => ({
        scope: part.scope,
        namespaces: resource.scope === 'Cluster' ? null : part.namespaces,
        ownKey: part.onlyOwn ? ownKey : null,
        reveal: reveals(part.scope, part.tenantName),
      }));
  }
}

/** Whether an object belongs into the answer. */
export function isWanted(selectors: Selectors, part: ReadPart, object: StoredObject): boolean {
  if (part.ownKey !== null && object.createdBy !== part.ownKey) return false;
  return matchesLabels(selectors.labels, object.labels) && matchesFields(selectors.fields, object);
}

import { randomUUID } from 'node:crypto';
import type { Resource } from '#core/resource.ts';
import { type Principal, scopeOfJob } from '#core/tenant.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import type { ApiDeps } from '#services/api/deps.ts';

const worker = 'weir-maintenance';

/** The plane itself as the writer of a deletion that somebody else began: it has no rights beyond the one tenant of the scope. */
export function planeContext(
  deps: ApiDeps,
  tenant: Readonly<{ tenantId: string; name: string }>,
  resource: Resource,
  namespace: string,
): WriteContext {
  const principal: Principal = {
    issuer: 'weir:plane',
    subject: worker,
    name: worker,
    via: 'service-account',
    groups: [],
    platformAdmin: false,
    memberships: [],
    limits: null,
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  };
  return {
    deps,
    resource,
    scope: scopeOfJob({ tenantId: tenant.tenantId }, worker),
    tenantName: tenant.name,
    role: 'admin',
    dryRun: false,
    call: {
      method: 'DELETE',
      path: '',
      params: { namespace },
      query: new Map(),
      headers: {},
      body: null,
      auditId: randomUUID(),
      signal: new AbortController().signal,
      principal,
    },
  };
}

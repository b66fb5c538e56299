import type { Resource } from '#core/resource.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import { canRead } from '#services/api/auth/visibility.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';
import type { Grant } from '#services/api/wire/grant.ts';

export type Writing = Readonly<{ context: WriteContext /** The answer may hold secret values. */; reveal: boolean; onlyOwn: boolean }>;

/** What a write needs of its grant: always one tenant. */
export function writingOf(deps: ApiDeps, resource: Resource, call: SignedInCall, grant: Grant, dryRun: boolean): Writing {
  if (grant.is !== 'one') throw new Error(`a write of ${resource.plural} was granted for more than one place`);
  const { scope, tenantName, role, onlyOwn } = grant;
  const reveal = resource.secretFields.length > 0 && canRead(call.principal, resource, { tenantId: scope.tenantId, tenantName });
  return { context: { deps, call, resource, scope, tenantName, role, dryRun }, reveal, onlyOwn };
}

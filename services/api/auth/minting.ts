import { AppError } from '#core/errors.ts';
import type { Role } from '#core/resource.ts';
import type { Principal } from '#core/tenant.ts';

/** A token makes no tokens: who holds one that leaked could live on for ever (threats H9). Throws AppError forbidden. */
export function requirePerson(principal: Principal, what: string): void {
  if (principal.via !== 'oidc')
    throw new AppError('forbidden', `User "${principal.name}" cannot make ${what}: a token makes no tokens; log in as a person`);
}

/** The role that a token keeps as its upper bound. A platform admin who is no member has none to pass on. Throws AppError forbidden. */
export function passedOnRole(principal: Principal, tenantId: string, what: string): Role {
  const membership = principal.memberships.find((one) => one.tenantId === tenantId);
  if (membership === undefined)
    throw new AppError('forbidden', `User "${principal.name}" cannot make ${what}: only members of the tenant can`);
  return membership.role;
}

import { AppError } from '#core/errors.ts';
import type { Resource } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { partsOf } from '#services/api/read/reading.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';
import { type Grant, grantOf } from '#services/api/wire/grant.ts';

/** What became of the caller's rights since the watch began. */
export type Rights = 'same' | 'changed' | 'gone';

/**
 * Asks again who calls and what they may, as a new request would (kube-api.md section 4: within 5 s). `changed`: the client has to list again;
 * `gone`: the token or the right ended. A database that cannot be reached changes nothing.
 */
export function recheck(deps: ApiDeps, resource: Resource, call: SignedInCall, grant: Grant): () => Promise<Rights> {
  const first = fingerprint(resource, grant, call);
  return async () => {
    try {
      const principal = await deps.authenticate(call.headers);
      const asked = { resource, verb: 'watch', namespace: call.params.namespace ?? '', name: null } as const;
      const now = await grantOf(deps.db.directory, principal, asked);
      return fingerprint(resource, now, { ...call, principal }) === first ? 'same' : 'changed';
    } catch (error) {
      if (error instanceof AppError && (error.code === 'unavailable' || error.code === 'internal')) return 'same';
      if (error instanceof AppError) return 'gone';
      throw error;
    }
  };
}

function fingerprint(resource: Resource, grant: Grant, call: SignedInCall): string {
  const parts = partsOf(resource, grant, call).map(({ scope, namespaces, ownKey, reveal }) => [scope.tenantId, namespaces, ownKey, reveal]);
  return JSON.stringify(parts);
}

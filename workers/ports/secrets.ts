import { getObject } from '#adapters/postgres/objects.ts';
import { openSecret } from '#adapters/postgres/secrets.ts';
import type { Secrets } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** Opened values of the tenant's Secrets, for this run only. */
export function secretsFor({ db, keys }: WorkerAdapters, scope: TenantScope): Secrets {
  return Object.freeze({
    read: (namespace: string, name: string) =>
      db.inTenant(scope, async (tx) => {
        const secret = await getObject(tx, { kind: 'Secret', namespace, name });
        return secret === null ? null : openSecret(tx, keys, secret);
      }),
  });
}

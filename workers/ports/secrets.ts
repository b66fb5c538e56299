import { getObject } from '#adapters/postgres/objects.ts';
import { openSecret } from '#adapters/postgres/secrets.ts';
import type { Secrets } from '#core/ports.ts';
import type { SecretMask } from '#core/secret-mask.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** Opened values of the tenant's Secrets, for this run only; `mask` learns each, so that nothing that is said about the run quotes one. */
export function secretsFor({ db, keys }: WorkerAdapters, scope: TenantScope, mask: SecretMask): Secrets {
  return Object.freeze({
    read: (namespace: string, name: string) =>
      db.inTenant(scope, async (tx) => {
        const secret = await getObject(tx, { kind: 'Secret', namespace, name });
        if (secret === null) return null;
        const values = await openSecret(tx, keys, secret);
        mask.learn(Object.values(values));
        return values;
      }),
  });
}

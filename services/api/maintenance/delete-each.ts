import type { ContentKey } from '#adapters/postgres/namespace-content.ts';
import { AppError } from '#core/errors.ts';
import { resourceOf } from '#kinds/registry.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { planeContext } from '#services/api/maintenance/plane-context.ts';
import { removeObject } from '#services/api/write/delete.ts';

type Tenant = Readonly<{ tenantId: string; name: string }>;

/** Deletes objects one by one, each in its own transaction; one that went or changed meanwhile is left for the next pass. */
export async function deleteEach(deps: ApiDeps, tenant: Tenant, keys: readonly ContentKey[]): Promise<void> {
  for (const { kind, namespace, name, uid } of keys) {
    const resource = resourceOf(kind);
    if (resource === null) throw new Error(`a stored object of kind ${kind}, which is not in the registry`);
    try {
      await removeObject(
        planeContext(deps, tenant, resource, namespace),
        { name, onlyOwn: false, verb: 'delete' },
        { uid, version: null, dryRun: false },
      );
    } catch (error) {
      if (!(error instanceof AppError) || (error.code !== 'notFound' && error.code !== 'conflict')) throw error;
    }
  }
}

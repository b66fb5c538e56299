import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiDeps } from '#services/api/deps.ts';
import { finishNamespaces } from '#services/api/maintenance/namespaces.ts';
import { collectOrphans } from '#services/api/maintenance/orphans.ts';

/** One pass over all tenants: namespaces on their way out, and objects without owners. A tenant that fails does not keep the others from their turn. */
export async function maintain(deps: ApiDeps): Promise<void> {
  for (const { tenantId, name } of await deps.db.directory.tenants()) {
    try {
      await finishNamespaces(deps, { tenantId, name });
      await collectOrphans(deps, { tenantId, name }, null);
    } catch (error) {
      deps.log.error({ error, tenantId }, 'maintenance of a tenant failed; it is tried again');
    }
  }
}

/** Passes until the signal aborts, with a pause between them. Resolves when the last one is over. */
export async function runMaintenance(deps: ApiDeps, options: Readonly<{ everyMs: number; signal: AbortSignal }>): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await maintain(deps);
      await sleep(options.everyMs, undefined, { signal: options.signal });
    } catch (error) {
      if (options.signal.aborted) return;
      deps.log.warn({ error }, 'a maintenance pass failed; it is tried again');
      await sleep(options.everyMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}

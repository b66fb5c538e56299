import type { ArtifactStore } from '#adapters/blob/artifacts.ts';
import { artifactsNamed } from '#adapters/postgres/artifacts.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import type { Log } from '#core/log.ts';
import { PLATFORM_TENANT_ID, scopeOfOwner } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';

type Collecting = Readonly<{ db: TenantDb; artifacts: ArtifactStore; clock: Clock; worker: string }>;

/** An artifact is stored before the row that names it: a young one may still be waiting for its row. */
export const ARTIFACT_KEEP_MS = 10 * 60_000;
const EVERY_MS = 10 * 60_000;
const CHUNK = 5_000;

/**
 * Removes stored artifacts that no tenant's row names and that nobody put for `minAgeMs`. Each tenant is asked in its own scope, and only which of these digests are its own: a worker sees no
 * tenant's list in another's. Returns how many went. Throws when any tenant could not be asked: what is not known to be unused stays.
 */
export async function collectArtifacts({ db, artifacts, clock, worker }: Collecting, minAgeMs = ARTIFACT_KEEP_MS): Promise<number> {
  const stored = await artifacts.list();
  const before = clock.nowMs() - minAgeMs;
  const unused = new Set(stored.filter((one) => one.usedAtMs <= before).map((one) => one.digest));
  const tenants = await db.directory.tenants();
  for (const ownerTenantId of [PLATFORM_TENANT_ID, ...tenants.map((one) => one.tenantId)]) {
    if (unused.size === 0) break;
    const scope = scopeOfOwner({ ownerTenantId }, { name: worker, via: 'worker' });
    const asked = [...unused];
    for (let from = 0; from < asked.length; from += CHUNK) {
      const named = await db.inTenant(scope, (tx) => artifactsNamed(tx, asked.slice(from, from + CHUNK)));
      for (const digest of named) unused.delete(digest);
    }
  }
  // The store looks at the age again: one that was put meanwhile stays.
  const referenced = new Set(stored.map((one) => one.digest).filter((digest) => !unused.has(digest)));
  return (await artifacts.collect({ referenced, minAgeMs })).length;
}

/** Collects every ten minutes until `stop`, which waits for the collection in progress. A failure is logged, and tried again the next time. */
export function startCollecting(deps: Collecting & Readonly<{ log: Log }>): Readonly<{ stop(): Promise<void> }> {
  const state = { pending: Promise.resolve() };
  const collect = async (): Promise<void> => {
    try {
      const removed = await collectArtifacts(deps);
      if (removed > 0) deps.log.info({ removed }, 'collected artifacts that nobody refers to');
    } catch (error) {
      deps.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'artifacts were not collected, trying again later');
    }
  };
  const timer = setInterval(() => {
    state.pending = state.pending.then(collect);
  }, EVERY_MS);
  return Object.freeze({
    stop: async () => {
      clearInterval(timer);
      await state.pending;
    },
  });
}

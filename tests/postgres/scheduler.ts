import { afterAll, beforeAll } from 'vitest';
import { openPlatformDb, type PlatformDb } from '#adapters/postgres/platform-db.ts';
import { silentLog } from '#core/log.ts';
import type { Plane } from '#tests/postgres/plane.ts';

/** The scheduler's database of a plane. Call behind `usePlane`. */
export function useScheduler(plane: Plane): { db: PlatformDb } {
  const holder: { db?: PlatformDb } = {};
  beforeAll(async () => {
    holder.db = await openPlatformDb({ url: plane.schedulerUrl, maxConnections: 4, log: silentLog });
  });
  afterAll(async () => holder.db?.close());
  return {
    get db(): PlatformDb {
      if (holder.db === undefined) throw new Error('used before the file started');
      return holder.db;
    },
  };
}

/** Relays until the outbox is empty; returns how many units became due. */
export async function drainAll(db: PlatformDb, limit = 200): Promise<number> {
  for (let triggered = 0, round = 0; round < 1_000; round += 1) {
    const drained = await db.drainOutbox(limit);
    triggered += drained.triggered;
    if (!drained.more && drained.taken === 0) return triggered;
  }
  throw new Error('the outbox does not get empty');
}

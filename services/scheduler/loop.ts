import type { PlatformDb } from '#adapters/postgres/platform-db.ts';
import type { Log } from '#core/log.ts';
import { type TickDeps, takeOver, tick } from './tick.ts';

export type SchedulerDeps = TickDeps &
  Readonly<{
    db: PlatformDb;
    log: Log /** Longest time between two turns when nobody wakes us. */;
    idleMs: number /** Removes stored artifacts that are in no tenant's row and not new; returns how many. Null where this process does not reach the store. */;
    collectArtifacts: ((referenced: ReadonlySet<string>) => Promise<number>) | null;
  }>;
export type Scheduler = Readonly<{ stop(): Promise<void> }>;

const RETRY_MS = 500;
const HOUSEKEEPING_MS = 60_000;
const CHANGE_LOG_KEEP_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Turns for ever: at once when PostgreSQL says that work came (LISTEN), at the next due time, and at least every `idleMs`. A turn that fails is repeated; nothing is
 * lost by it. `stop` ends after the turn in progress.
 */
export async function startScheduler(deps: SchedulerDeps): Promise<Scheduler> {
  const bell = newBell();
  const unlisten = await Promise.all([deps.db.listen('weir_work', bell.ring), deps.db.listen('weir_outbox', bell.ring)]);
  const state = { stopping: false };
  const turning = turn(deps, bell, state);
  const keeping = setInterval(() => void keepHouse(deps), HOUSEKEEPING_MS);
  return Object.freeze({
    stop: async () => {
      state.stopping = true;
      clearInterval(keeping);
      bell.ring();
      await turning;
      await Promise.all(unlisten.map((stop) => stop()));
    },
  });
}

async function turn(deps: SchedulerDeps, bell: Bell, state: Readonly<{ stopping: boolean }>): Promise<void> {
  while (!state.stopping && !(await takenOver(deps))) await bell.wait(RETRY_MS);
  while (!state.stopping) {
    const waitMs = await oneTurn(deps);
    if (waitMs > 0) await bell.wait(waitMs);
  }
}

async function takenOver(deps: SchedulerDeps): Promise<boolean> {
  try {
    const jobs = await takeOver(deps);
    if (jobs > 0) deps.log.info({ jobs }, 'offered again what an earlier scheduler had offered');
    return true;
  } catch (error) {
    deps.log.warn(
      { error: error instanceof Error ? error.message : String(error) },
      'the work of earlier schedulers could not be taken over, trying again',
    );
    return false;
  }
}

async function oneTurn(deps: SchedulerDeps): Promise<number> {
  try {
    const { more } = await tick(deps);
    if (more) return 0;
    const { nowMs, dueAtMs } = await deps.db.nextDueAtMs();
    return dueAtMs === null ? deps.idleMs : Math.min(deps.idleMs, Math.max(10, dueAtMs - nowMs));
  } catch (error) {
    deps.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'scheduler turn failed, trying again');
    return RETRY_MS;
  }
}

async function keepHouse({ db, log, collectArtifacts }: SchedulerDeps): Promise<void> {
  try {
    await db.trimChangeLog({ keepMs: CHANGE_LOG_KEEP_MS, limit: 10_000 });
    await db.expireEvents({ keepMs: DAY_MS, limit: 1_000 });
    await db.expireHookDeliveries({ keepMs: 2 * DAY_MS, limit: 10_000 });
    if (collectArtifacts === null) return;
    const removed = await collectArtifacts(await referencedDigests(db));
    if (removed > 0) log.info({ removed }, 'collected artifacts that nobody refers to');
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.message : String(error) }, 'housekeeping failed, trying again later');
  }
}

const DIGEST_PAGE = 1_000;

/** Every digest that some tenant's row names, page by page. */
async function referencedDigests(db: PlatformDb): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let after = ''; ; ) {
    const page = await db.referencedDigests({ after, limit: DIGEST_PAGE });
    for (const digest of page) found.add(digest);
    const last = page.at(-1);
    if (last === undefined || page.length < DIGEST_PAGE) return found;
    after = last;
  }
}

type Bell = Readonly<{ ring(): void; wait(ms: number): Promise<void> }>;

/** A ring while nobody waits is kept for the next wait, so that no wake-up falls between a turn and the wait after it. */
function newBell(): Bell {
  const state: { rung: boolean; wake: (() => void) | null } = { rung: false, wake: null };
  return {
    ring: () => {
      state.rung = true;
      state.wake?.();
    },
    wait: async (ms) => {
      if (!state.rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          state.wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      state.rung = false;
      state.wake = null;
    },
  };
}

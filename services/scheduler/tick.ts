import type { PlatformDb } from '#adapters/postgres/platform-db.ts';
import type { Failpoints } from '#core/failpoints.ts';
import type { Job } from '#core/job.ts';
import type { Worker } from '#core/kind.ts';
import type { Queues } from '#core/queue.ts';

/** What one tick needs. `routes` says which worker runs which kind, `slots` how many jobs each worker's queue may hold. */
export type TickDeps = Readonly<{
  db: Pick<PlatformDb, 'drainOutbox' | 'pickDue' | 'reoffer'>;
  queues: Pick<Queues, 'add' | 'counts'>;
  routes: ReadonlyMap<string, Worker>;
  slots: Readonly<Record<Worker, number>>;
  failpoints: Failpoints;
  caps: Readonly<{ perTenant: number; perHost: number; perCluster: number }>;
  weights: Readonly<Record<string, number>>;
  /** How long a picked row is not offered again. A lost job is offered again after it: Redis may be emptied at any time. */
  offerMs: number;
}>;

export type Ticked = Readonly<{ relayed: number; queued: number /** True when another tick should follow at once. */; more: boolean }>;

const OUTBOX_LIMIT = 200;

/**
 * One turn: relays outbox rows, picks due units fairly over tenants, and feeds the queues no more than what free slots can take, so that a queue never holds
 * a tenant's backlog. Several schedulers may do this at once. Throws when PostgreSQL or the queue does not answer; nothing is lost, the rows stay due.
 */
export async function tick(deps: TickDeps): Promise<Ticked> {
  const drained = await deps.db.drainOutbox(OUTBOX_LIMIT);
  const free = await freeSlots(deps);
  const total = [...free.values()].reduce((sum, one) => sum + one, 0);
  if (total === 0) return { relayed: drained.taken, queued: 0, more: drained.more };
  const jobs = await deps.db.pickDue({ freeSlots: total, caps: deps.caps, weights: deps.weights, offerMs: deps.offerMs });
  await deps.failpoints.hit('s1');
  for (const [worker, mine] of byWorker(jobs, deps.routes)) await deps.queues.add(worker, mine);
  await deps.failpoints.hit('s2');
  return { relayed: drained.taken, queued: jobs.length, more: drained.more || jobs.length === total };
}

const REOFFER_LIMIT = 10_000;

/**
 * What a scheduler before this one had offered and nobody took up goes to the queues again. Once, at the start: a killed scheduler, or a queue that ended with it, would
 * otherwise hold this work back for the rest of its offer. Returns how many. Throws as `tick` does; it may then be called again.
 */
export async function takeOver(deps: TickDeps): Promise<number> {
  const jobs = await deps.db.reoffer({ offerMs: deps.offerMs, limit: REOFFER_LIMIT });
  for (const [worker, mine] of byWorker(jobs, deps.routes)) await deps.queues.add(worker, mine);
  return jobs.length;
}

async function freeSlots({ queues, slots }: TickDeps): Promise<ReadonlyMap<Worker, number>> {
  const names = Object.keys(slots) as Worker[];
  const free = await Promise.all(
    names.map(async (name) => {
      const { waiting, active } = await queues.counts(name);
      return [name, Math.max(0, slots[name] - waiting - active)] as const;
    }),
  );
  return new Map(free);
}

function byWorker(jobs: readonly Job[], routes: ReadonlyMap<string, Worker>): ReadonlyMap<Worker, readonly Job[]> {
  const groups = new Map<Worker, Job[]>();
  for (const job of jobs) {
    const worker = routes.get(job.kind);
    if (worker === undefined) continue;
    const group = groups.get(worker) ?? [];
    group.push(job);
    groups.set(worker, group);
  }
  return groups;
}

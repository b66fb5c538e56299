import type { Job } from '#core/job.ts';
import type { Worker } from '#core/kind.ts';
import type { Log } from '#core/log.ts';
import type { Queues } from '#core/queue.ts';
import { runUnit } from '#core/reconcile/run.ts';
import type { Runtime } from '#core/reconcile/runtime.ts';

export type WorkerOptions = Readonly<{ name: Worker; queues: Queues; runtime: Runtime; concurrency: number; log: Log }>;
export type RunningWorker = Readonly<{ stop(graceMs: number): Promise<void> }>;

/**
 * Serves one queue with the reconcile runtime. A run that throws (PostgreSQL away) is logged and left: its lease ends and the scheduler offers the unit again, so the
 * queue's own retries are not used.
 */
export function startWorker({ name, queues, runtime, concurrency, log }: WorkerOptions): RunningWorker {
  const handle = async (job: Job, signal: AbortSignal): Promise<void> => {
    try {
      const result = await runUnit(runtime, job, signal);
      if (result !== 'done') log.debug({ queue: name, tenant: job.tenantId, kind: job.kind, id: job.id, result }, 'job changed nothing');
    } catch (error) {
      log.warn({ queue: name, tenant: job.tenantId, kind: job.kind, id: job.id, error }, 'run broke off');
    }
  };
  const serving = queues.work(name, { concurrency, handle });
  return Object.freeze({ stop: (graceMs: number) => serving.close(graceMs) });
}

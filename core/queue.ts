import type { Job } from './job.ts';
import type { Worker } from './kind.ts';

/** A place in the queue that a worker process serves. Ends what it runs on `close`. */
export interface QueueWorker {
  /** Takes no new job, aborts nothing for `graceMs`, then aborts and waits. */
  close(graceMs: number): Promise<void>;
}

/** The transport between scheduler and workers. Disposable: it may lose, double or delay any job. */
export interface Queues {
  /** Puts jobs in line; a job that already waits is not added twice. Throws when the transport does not answer in time. */
  add(queue: Worker, jobs: readonly Job[]): Promise<void>;
  /** How many wait and how many run. Throws when the transport does not answer in time. */
  counts(queue: Worker): Promise<Readonly<{ waiting: number; active: number }>>;
  /** Serves a queue. What is no job by its shape is dropped and logged. `handle` must not throw for what a retry cannot mend. */
  work(queue: Worker, options: Readonly<{ concurrency: number; handle(job: Job, signal: AbortSignal): Promise<void> }>): QueueWorker;
  /** Null when the transport works, else one sentence. */
  trouble(): Promise<string | null>;
  /** `redis`, or what stands in for it. For the start-up line and /readyz?verbose. */
  readonly describe: string;
  close(): Promise<void>;
}

import type { Config } from '#core/config.ts';
import type { Failpoints } from '#core/failpoints.ts';
import type { Worker } from '#core/kind.ts';
import type { Log } from '#core/log.ts';
import type { Queues } from '#core/queue.ts';
import type { Clock } from '#core/time.ts';
import { bindPorts } from '#workers/bind.ts';
import type { OpenedAdapters } from '#workers/open-adapters.ts';
import { runnables } from '#workers/runnables.ts';
import { type RunningWorker, startWorker } from '#workers/worker.ts';

export const workerNames: readonly Worker[] = Object.freeze(['source', 'kustomize', 'helm', 'image', 'notification', 'fleet']);

/** How many runs of each worker one process does at once. */
export function concurrencyOf(config: Config): Readonly<Record<Worker, number>> {
  return {
    source: config.sourceConcurrency,
    kustomize: config.kustomizeConcurrency,
    helm: config.helmConcurrency,
    image: config.imageConcurrency,
    notification: config.notificationConcurrency,
    fleet: config.fleetConcurrency,
  };
}

type Parts = Readonly<{
  config: Config;
  queues: Queues;
  opened: OpenedAdapters;
  clock: Clock;
  log: Log;
  failpoints: Failpoints;
  worker: string;
  names: readonly Worker[];
}>;

/** Starts workers that share one set of adapters. */
export function openWorkers({ config, queues, opened, clock, log, failpoints, worker, names }: Parts): readonly RunningWorker[] {
  const concurrency = concurrencyOf(config);
  const runtime = {
    store: opened.adapters.store,
    runnables,
    bind: bindPorts(opened.adapters),
    clock,
    log,
    failpoints,
    leaseMs: config.leaseMs,
    released: opened.adapters.clusters.release,
    worker,
  };
  return names.map((name) => startWorker({ name, queues, runtime, concurrency: concurrency[name], log }));
}

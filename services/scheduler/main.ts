import { createLog } from '#adapters/log/pino-log.ts';
import { openPlatformDb } from '#adapters/postgres/platform-db.ts';
import { roleUrl } from '#adapters/postgres/role-url.ts';
import { processFailpoints } from '#adapters/process/failpoints.ts';
import { openHealth } from '#adapters/process/health.ts';
import { type Part, serve } from '#adapters/process/serve.ts';
import { openQueues } from '#adapters/redis/queue.ts';
import { readConfig } from '#core/config.ts';
import { sharedStores } from '#core/config-shared.ts';
import { kinds } from '#kinds/registry.ts';
import { startScheduler } from './loop.ts';

/** A killed plane takes its queue with it: what it had offered is offered again after this, well within the 15 s of reliability.md 5.3. */
const OFFER_MS = 10_000;
const IDLE_MS = 5_000;
const CONNECTIONS = 4;
/** Jobs in line for each that runs, so that a worker never waits for the next turn. */
const AHEAD = 2;

/** The scheduler alone; several may run. With several workers of a sort, WEIR_…_CONCURRENCY here is the sum of theirs. */
async function open(): Promise<Part> {
  const config = readConfig(process.env);
  const stores = sharedStores(config);
  const log = createLog({ level: config.logLevel, bindings: { service: 'scheduler' } });
  const url = await roleUrl({
    ...stores,
    role: 'weir_scheduler',
    appPassword: config.databaseAppPassword,
    schedulerPassword: config.databaseSchedulerPassword,
  });
  const db = await openPlatformDb({ url, maxConnections: CONNECTIONS, log });
  const queues = await openQueues({ on: 'redis', url: stores.redisUrl, log });
  const routes = new Map(kinds.map((kind) => [kind.resource.kind, kind.worker]));
  const slots = {
    source: config.sourceConcurrency * AHEAD,
    kustomize: config.kustomizeConcurrency * AHEAD,
    helm: config.helmConcurrency * AHEAD,
    image: config.imageConcurrency * AHEAD,
    notification: config.notificationConcurrency * AHEAD,
    fleet: config.fleetConcurrency * AHEAD,
  };
  const caps = { perTenant: config.tenantInFlight, perHost: config.hostInFlight, perCluster: config.clusterInFlight };
  const scheduler = await startScheduler({
    db,
    queues,
    routes,
    slots,
    caps,
    weights: {},
    failpoints: processFailpoints(config),
    offerMs: OFFER_MS,
    idleMs: IDLE_MS,
    // Source workers collect: the artifact store belongs to them.
    collectArtifacts: null,
    log,
  });
  const dependencies = [
    { name: 'database', trouble: async () => ((await db.nextDueAtMs()).nowMs > 0 ? null : 'it tells no time') },
    { name: 'queue', trouble: () => queues.trouble() },
  ];
  const health = await openHealth({ listen: config.healthListen, port: config.healthPort, dependencies });
  const stop = async (): Promise<void> => {
    await health.close();
    await scheduler.stop();
    await queues.close();
    await db.close();
  };
  return { said: `Weir scheduler runs (queue: ${queues.describe})`, stop };
}

await serve(open);

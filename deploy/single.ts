import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createLog } from '#adapters/log/pino-log.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { openPlatformDb } from '#adapters/postgres/platform-db.ts';
import { openTenantDb } from '#adapters/postgres/tenant-db.ts';
import { processFailpoints } from '#adapters/process/failpoints.ts';
import { lockFor, openQueues } from '#adapters/redis/queue.ts';
import type { Config } from '#core/config.ts';
import { systemClock } from '#core/time.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import type { ToolPaths } from '#deploy/local/tool-paths.ts';
import { authorityDir, openIdentity } from '#deploy/plane/identity.ts';
import { listen } from '#deploy/plane/listen.ts';
import { concurrencyOf, openWorkers, workerNames } from '#deploy/plane/open-workers.ts';
import { keptSecret, openStores } from '#deploy/plane/stores.ts';
import { healthChecks } from '#services/api/health-checks.ts';
import { openApi } from '#services/api/open.ts';
import { openServerTls } from '#services/api/tls.ts';
import { startScheduler } from '#services/scheduler/loop.ts';
import { ARTIFACT_KEEP_MS } from '#workers/collect-artifacts.ts';
import { openAdapters } from '#workers/open-adapters.ts';
import { previewer } from '#workers/preview.ts';
import { kindRoutes } from '#workers/runnables.ts';

export type Plane = Readonly<{
  url: string;
  caFile: string;
  issuer: string;
  demoLogin: boolean;
  notes: readonly string[];
  stop(): Promise<void>;
}>;

type Options = Readonly<{
  config: Config;
  children: Children;
  tools: Pick<ToolPaths, 'kustomize' | 'redis' | 'bwrap'> & Readonly<{ helm: string | null; helmInside: string | null }>;
  version: string;
  logTo: 'stdout' | 'stderr';
}>;

/** A killed plane takes its queue with it: what it had offered is offered again after this, well within the 15 s of reliability.md 5.3. */
const OFFER_MS = 10_000;
const IDLE_MS = 5_000;
const GRACE_MS = 8_000;

/** The whole plane in one process: stores (given or embedded), identity, API, scheduler and all workers. `stop` drains and ends them in the opposite order. */
export async function startPlane({ config: given, children, tools, version }: Options): Promise<Plane> {
  const config = { ...given, stateDir: resolve(given.stateDir) };
  await mkdir(config.stateDir, { recursive: true, mode: 0o755 });
  const clock = systemClock;
  const log = createLog({ level: config.logLevel, bindings: { service: 'weir' } });
  const failpoints = processFailpoints(config);
  const ends: (() => Promise<void>)[] = [];
  const keep = <T>(part: T, end: (part: T) => Promise<void>): T => {
    ends.unshift(() => end(part));
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0)) await end().catch((error: unknown) => log.error({ error }, 'a part did not stop'));
  };
  try {
    const authority = await openLocalAuthority(authorityDir(config), 'Weir CA');
    const stores = keep(await openStores({ config, children, log, redis: tools.redis }), (part) => part.stop());
    const identity = keep(await openIdentity(config, authority), (part) => part.stop());
    const db = keep(await openTenantDb({ url: stores.appDatabaseUrl, maxConnections: config.databaseConnections, log }), (part) =>
      part.close(),
    );
    const platform = keep(await openPlatformDb({ url: stores.schedulerDatabaseUrl, maxConnections: 4, log }), (part) => part.close());
    const keys = await openKeys(config, clock.nowMs);
    const queues = keep(await openQueues({ ...stores.queue, lockMs: lockFor(config.leaseMs) }), (part) => part.close());
    const tls = await openServerTls({ config, authority, nowMs: () => clock.nowMs(), log });
    const port = await listen.choose(config);
    const publicUrl = config.publicUrl ?? `https://127.0.0.1:${port}`;
    const worker = `worker-${process.pid}`;
    const opened = keep(
      await openAdapters({
        config,
        worker,
        version,
        db,
        keys,
        clock,
        log,
        failpoints,
        kustomize: config.kustomize ?? tools.kustomize,
        helm: config.helm ?? tools.helm,
        helmInside: config.helmInside ?? tools.helmInside,
        bwrap: tools.bwrap,
      }),
      (part) => part.close(),
    );
    const secret = await keptSecret(join(config.stateDir, 'keys', 'api'));
    const api = keep(
      await openApi({
        config,
        db,
        keys,
        clock,
        log,
        failpoints,
        identity,
        tls: tls.current(),
        serverCaPem: tls.caPem,
        publicUrl,
        secret,
        preview: previewer(opened.adapters, log),
        checks: healthChecks({ db, queues, sandbox: { note: opened.sandbox, weak: config.sandbox === 'weak' } }),
      }),
      (part) => part.close(),
    );
    tls.renewInto(api.app.server);
    ends.unshift(async () => tls.stop());
    await api.app.listen({ host: config.listen, port });
    const workers = openWorkers({ config, queues, opened, clock, log, failpoints, worker, names: workerNames });
    ends.unshift(async () => void (await Promise.all(workers.map((one) => one.stop(GRACE_MS)))));
    const concurrency = concurrencyOf(config);
    const slots = {
      source: concurrency.source * 2,
      kustomize: concurrency.kustomize * 2,
      helm: concurrency.helm * 2,
      image: concurrency.image * 2,
      notification: concurrency.notification * 2,
      fleet: concurrency.fleet * 2,
    };
    const collectArtifacts = async (referenced: ReadonlySet<string>) =>
      (await opened.adapters.artifacts.collect({ referenced, minAgeMs: ARTIFACT_KEEP_MS })).length;
    const caps = { perTenant: config.tenantInFlight, perHost: config.hostInFlight, perCluster: config.clusterInFlight };
    keep(
      await startScheduler({
        db: platform,
        queues,
        routes: kindRoutes,
        slots,
        failpoints,
        caps,
        weights: {},
        offerMs: OFFER_MS,
        idleMs: IDLE_MS,
        log,
        collectArtifacts,
      }),
      (part) => part.stop(),
    );
    const notes = [
      ...stores.notes,
      identity.note,
      `Sandbox: ${opened.sandbox}`,
      ...(config.egressAllow.length === 0 ? [] : [`Egress: private ranges allowed by WEIR_EGRESS_ALLOW: ${config.egressAllow.join(', ')}`]),
    ];
    return Object.freeze({
      url: publicUrl,
      caFile: authority.certificateFile,
      issuer: identity.issuer,
      demoLogin: identity.demo,
      notes,
      stop,
    });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openKeys(config: Config, nowMs: () => number) {
  const { openKeyRing } = await import('#adapters/postgres/key-ring.ts');
  return openKeyRing(await openKeyFile(config.keyFile ?? join(config.stateDir, 'keys', 'kek')), nowMs);
}

import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { createLog } from '#adapters/log/pino-log.ts';
import { openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { roleUrl } from '#adapters/postgres/role-url.ts';
import { openTenantDb, type TenantDb } from '#adapters/postgres/tenant-db.ts';
import { processFailpoints } from '#adapters/process/failpoints.ts';
import { type Dependency, openHealth } from '#adapters/process/health.ts';
import type { Part } from '#adapters/process/serve.ts';
import { readVersion } from '#adapters/process/version.ts';
import { lockFor, openQueues } from '#adapters/redis/queue.ts';
import { systemProgram } from '#adapters/sandbox/rlimits.ts';
import { type Config, ConfigError } from '#core/config.ts';
import { sharedStores } from '#core/config-shared.ts';
import type { Worker } from '#core/kind.ts';
import type { Runnable } from '#core/reconcile/runnable.ts';
import { PLATFORM_NAMESPACE } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { bindPorts } from './bind.ts';
import { startCollecting } from './collect-artifacts.ts';
import { openAdapters } from './open-adapters.ts';
import { startWorker } from './worker.ts';

export type WorkerParts = Readonly<{
  name: Worker;
  config: Config /** How many runs at once. */;
  concurrency: number;
  kinds: readonly Runnable[];
}>;

const GRACE_MS = 8_000;

/**
 * One worker as a process of its own, beside any number of others like it. They share PostgreSQL, Redis, the key file, and below the state folder the artifacts.
 * Throws ConfigError for what is missing, AppError sandboxUnavailable when programs cannot be isolated here.
 */
export async function openWorker({ name, config: given, concurrency, kinds }: WorkerParts): Promise<Part> {
  const config = { ...given, stateDir: resolve(given.stateDir) };
  const stores = sharedStores(config);
  const keyFile = await existingKeyFile(config);
  const kustomize = config.kustomize ?? (await systemProgram('kustomize'));
  if (kustomize === null) throw new ConfigError(['WEIR_KUSTOMIZE must name the pinned kustomize: none is in the system folders']);
  // A worker of releases needs it; the others do not.
  const helm = config.helm ?? (await systemProgram('helm'));
  if (helm === null && name === 'helm') throw new ConfigError(['WEIR_HELM must name the pinned helm: none is in the system folders']);
  const helmInside = config.helmInside ?? (await systemProgram('weir-inside'));
  if (helmInside === null && name === 'helm')
    throw new ConfigError(['WEIR_HELM_INSIDE must name weir-inside, which is built of tools/go/inside: none is in the system folders']);
  const worker = `${name}-${hostname()}-${process.pid}`;
  const log = createLog({ level: config.logLevel, bindings: { service: `worker-${name}` } });
  const clock = systemClock;
  const bwrap = await systemProgram('bwrap');
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0)) await end();
  };
  try {
    const url = await roleUrl({
      ...stores,
      role: 'weir_app',
      appPassword: config.databaseAppPassword,
      schedulerPassword: config.databaseSchedulerPassword,
    });
    const db = await openTenantDb({ url, maxConnections: config.databaseConnections, log });
    ends.unshift(() => db.close());
    const keys = openKeyRing(await openKeyFile(keyFile), () => clock.nowMs());
    const queues = await openQueues({ on: 'redis', url: stores.redisUrl, log, lockMs: lockFor(config.leaseMs) });
    ends.unshift(() => queues.close());
    const failpoints = processFailpoints(config);
    const opened = await openAdapters({
      config,
      worker,
      version: await readVersion(),
      db,
      keys,
      clock,
      log,
      failpoints,
      kustomize,
      helm,
      helmInside,
      bwrap: bwrap === null ? null : { command: [bwrap], env: {} },
    });
    ends.unshift(() => opened.close());
    const runnables = new Map(kinds.map((one) => [one.resource.kind, one]));
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
    const running = startWorker({ name, queues, runtime, concurrency, log });
    ends.unshift(() => running.stop(GRACE_MS));
    if (name === 'source') {
      const collecting = startCollecting({ db, artifacts: opened.adapters.artifacts, clock, worker, log });
      ends.unshift(() => collecting.stop());
    }
    const health = await openHealth({
      listen: config.healthListen,
      port: config.healthPort,
      dependencies: [databaseHealth(db), { name: 'queue', trouble: () => queues.trouble() }],
    });
    ends.unshift(() => health.close());
    return Object.freeze({ said: `Weir worker ${name} runs (${[...runnables.keys()].join(', ')}; ${opened.sandbox})`, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

function databaseHealth(db: TenantDb): Dependency {
  return {
    name: 'database',
    trouble: async () =>
      (await db.directory.tenantOfNamespace(PLATFORM_NAMESPACE)) === null
        ? 'the platform tenant is missing: the migrations did not run'
        : null,
  };
}

/** A worker never makes a key: with one of its own it could open nothing that the API sealed. */
async function existingKeyFile(config: Config): Promise<string> {
  const file = config.keyFile ?? join(config.stateDir, 'keys', 'kek');
  try {
    await access(file);
    return file;
  } catch {
    throw new ConfigError([
      `WEIR_KEY_FILE must name the key file of this plane: ${config.keyFile === null ? 'the state folder holds none' : 'there is none at this path'}; the API makes it at its first start`,
    ]);
  }
}

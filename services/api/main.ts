import { join, resolve } from 'node:path';
import { createLog } from '#adapters/log/pino-log.ts';
import { openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { roleUrl } from '#adapters/postgres/role-url.ts';
import { openTenantDb } from '#adapters/postgres/tenant-db.ts';
import { processFailpoints } from '#adapters/process/failpoints.ts';
import { keptSecret } from '#adapters/process/kept-secret.ts';
import { type Part, serve } from '#adapters/process/serve.ts';
import { openQueues } from '#adapters/redis/queue.ts';
import { keepAuthority } from '#adapters/x509/store.ts';
import { readConfig } from '#core/config.ts';
import { sharedStores } from '#core/config-shared.ts';
import { systemClock } from '#core/time.ts';
import { healthChecks } from './health-checks.ts';
import { configuredLogin } from './login.ts';
import { openApi } from './open.ts';
import { openServerTls } from './tls.ts';

const AUTHORITY_MS = 10 * 365 * 24 * 60 * 60 * 1_000;

/** The API alone; several may run behind one address when they share the state folder's keys, or are given WEIR_KEY_FILE and WEIR_TLS_…. */
async function open(): Promise<Part> {
  const config = readConfig(process.env);
  const stores = sharedStores(config);
  const identity = await configuredLogin(config);
  const dir = (...parts: readonly string[]): string => join(resolve(config.stateDir), ...parts);
  const clock = systemClock;
  const nowMs = (): number => clock.nowMs();
  const log = createLog({ level: config.logLevel, bindings: { service: 'api' } });
  const { databaseAppPassword: appPassword, databaseSchedulerPassword: schedulerPassword } = config;
  const url = await roleUrl({ ...stores, role: 'weir_app', appPassword, schedulerPassword });
  const db = await openTenantDb({ url, maxConnections: config.databaseConnections, log });
  const queues = await openQueues({ on: 'redis', url: stores.redisUrl, log });
  const secret = await keptSecret(dir('keys', 'api'));
  const keys = openKeyRing(await openKeyFile(config.keyFile ?? dir('keys', 'kek')), nowMs);
  const authority = await keepAuthority(dir('ca'), 'ca', { commonName: 'Weir CA', validMs: AUTHORITY_MS, nowMs: nowMs() });
  const tls = await openServerTls({ config, authority, nowMs, log });
  const publicUrl = config.publicUrl ?? `https://localhost:${config.port}`;
  const served = {
    preview: null,
    tls: tls.current(),
    serverCaPem: tls.caPem,
    publicUrl,
    secret,
    checks: healthChecks({ db, queues, sandbox: null }),
  };
  const api = await openApi({ config, db, keys, clock, log, failpoints: processFailpoints(config), identity, ...served });
  tls.renewInto(api.app.server);
  await api.app.listen({ host: config.listen, port: config.port });
  const stop = async (): Promise<void> => {
    tls.stop();
    await api.close();
    await queues.close();
    await db.close();
  };
  return { said: `Weir API listens on ${publicUrl}`, stop };
}

await serve(open);

import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import type { Queues } from '#core/queue.ts';
import { PLATFORM_NAMESPACE } from '#core/tenant.ts';
import type { HealthCheck } from './routes/health/health-routes.ts';

type Parts = Readonly<{
  db: TenantDb;
  queues: Queues /** How this process isolates programs; null when it runs none. */;
  sandbox: Readonly<{ note: string; weak: boolean }> | null;
}>;

/** What /readyz looks at. Without the queue the plane is degraded, not unready: truth is in PostgreSQL and writes are still accepted. */
export function healthChecks({ db, queues, sandbox }: Parts): readonly HealthCheck[] {
  const database: HealthCheck = {
    name: 'database',
    live: false,
    probe: async () => {
      const platform = await db.directory.tenantOfNamespace(PLATFORM_NAMESPACE);
      return platform === null ? { is: 'failed', note: 'the platform tenant is missing: the migrations did not run' } : { is: 'ok' };
    },
  };
  const queue: HealthCheck = {
    name: 'queue',
    live: false,
    probe: async () => {
      const trouble = await queues.trouble();
      if (trouble === null) return { is: 'ok', note: queues.describe };
      return { is: 'degraded', note: `${trouble}; work waits in PostgreSQL and is taken up when it is back` };
    },
  };
  if (sandbox === null) return [database, queue];
  return [
    database,
    queue,
    { name: 'sandbox', live: false, probe: async () => ({ is: sandbox.weak ? 'degraded' : 'ok', note: sandbox.note }) },
  ];
}

import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import type { Queues } from '#core/queue.ts';
import { PLATFORM_NAMESPACE } from '#core/tenant.ts';
import type { HealthCheck } from '#services/api/routes/health/health-routes.ts';

type Parts = Readonly<{ db: TenantDb; queues: Queues; sandbox: string; weak: boolean }>;

/** What /readyz looks at. Without the queue the plane is degraded, not unready: truth is in PostgreSQL and writes are still accepted. */
export function healthChecks({ db, queues, sandbox, weak }: Parts): readonly HealthCheck[] {
  return [
    { name: 'ping', live: true, probe: async () => ({ is: 'ok' }) },
    {
      name: 'database',
      live: false,
      probe: async () =>
        (await db.directory.tenantOfNamespace(PLATFORM_NAMESPACE)) === null
          ? { is: 'failed', note: 'the platform tenant is missing: the migrations did not run' }
          : { is: 'ok' },
    },
    {
      name: 'queue',
      live: false,
      probe: async () => {
        const trouble = await queues.trouble();
        return trouble === null
          ? { is: 'ok', note: queues.describe }
          : { is: 'degraded', note: `${trouble}; work waits in PostgreSQL and is taken up when it is back` };
      },
    },
    { name: 'sandbox', live: false, probe: async () => (weak ? { is: 'degraded', note: sandbox } : { is: 'ok', note: sandbox }) },
  ];
}

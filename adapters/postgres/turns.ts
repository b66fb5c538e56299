import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Turns } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { TenantDb } from './tenant-db.ts';

const LOOK_AGAIN_MS = 100;

/** Turns of the scope's tenant, as rows with an end by the database clock that the holder moves on. Each look is a transaction of its own; none is open while `work` runs. */
export function turnsPort(db: TenantDb, scope: TenantScope, leaseMs: number): Turns {
  const run = (text: string, values: readonly (string | number)[]): Promise<number> =>
    db.inTenant(scope, (tx) => tx.run(text, [tx.tenantId, ...values]));
  return Object.freeze({
    async take<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
      const holder = randomUUID();
      while ((await run(TAKE, [name, holder, leaseMs])) === 0) await sleep(LOOK_AGAIN_MS, undefined, { signal });
      const beat = setInterval(() => {
        // Should PostgreSQL be away, the turn ends by itself.
        run(RENEW, [name, holder, leaseMs]).catch(() => undefined);
      }, leaseMs / 3);
      beat.unref();
      try {
        return await work();
      } finally {
        clearInterval(beat);
        await run(GIVE, [name, holder]);
      }
    },
  } satisfies Turns);
}

const TAKE = `insert into weir.branch_leases as l (tenant_id, branch, holder, held_until)
  values ($1, $2, $3, clock_timestamp() + $4::float8 * interval '1 millisecond')
  on conflict (tenant_id, branch) do update set holder = excluded.holder, held_until = excluded.held_until where l.held_until < clock_timestamp()`;
const RENEW = `update weir.branch_leases set held_until = clock_timestamp() + $4::float8 * interval '1 millisecond'
  where tenant_id = $1 and branch = $2 and holder = $3`;
const GIVE = 'delete from weir.branch_leases where tenant_id = $1 and branch = $2 and holder = $3';

import { defineKind } from '#core/kind.ts';
import { rfc3339 } from '#core/time.ts';
import { type Act, decide, HEARTBEAT_MS, type Seen } from './decide.ts';
import { resource } from './resource.ts';
import { ClusterSpec, ClusterStatus } from './schema.ts';

/** A registered workload cluster: heartbeat, version, permission preflight, and a bootstrap token that renews itself. */
export const clusterKind = defineKind<'definition', typeof ClusterSpec, typeof ClusterStatus, 'care', Seen, Act>({
  resource,
  unit: 'definition',
  worker: 'fleet',
  spec: ClusterSpec,
  status: ClusterStatus,
  needs: ['care'],
  refs: () => [],
  intervalMs: () => HEARTBEAT_MS,
  suspended: () => false,
  timeoutMs: () => 60_000,
  observe: async (ctx, obj) => (obj.spec.paused === true ? { at: 'paused' } : { at: 'probed', ...(await ctx.care.probe(ctx.signal)) }),
  decide,
  act: async (ctx) => {
    const { issuedAtMs, expiresAtMs } = await ctx.care.renew(ctx.signal);
    return { status: { credential: { issuedAt: rfc3339(issuedAtMs), expiresAt: rfc3339(expiresAtMs) } } };
  },
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'forgotten', revision: '' }),
});

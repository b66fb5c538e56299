import { getObject } from '#adapters/postgres/objects.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { type Ctx, defineKind, type Judged } from '#core/kind.ts';
import { closed } from '#core/schema.ts';
import type { TenantScope } from '#core/tenant.ts';
import { resource } from '#kinds/placement/resource.ts';

/**
 * What must not compile. `tsc` reads this file with the rest: an expected error that is none any more fails `npm run check`. Nothing here runs.
 */

const Empty = closed({});
const ready: Judged<typeof Empty> = { is: 'ready', reason: 'Succeeded', message: '', revision: '' };
const shared = {
  resource,
  worker: 'fleet',
  spec: Empty,
  status: Empty,
  refs: () => [],
  intervalMs: () => null,
  suspended: () => false,
  timeoutMs: () => 1_000,
  decide: () => ready,
  act: async () => ({}),
  finalize: async () => ready,
} as const;

/** A capability that is not in `needs` is not there. */
export function usesWhatItDidNotName(ctx: Ctx<'lookup'>): unknown {
  // @ts-expect-error `cluster` was not named in needs
  return ctx.cluster;
}

/** Only a delivery has a cluster and an inventory. */
export const definitionWithCluster = defineKind<'definition', typeof Empty, typeof Empty, 'cluster', null, never>({
  ...shared,
  unit: 'definition',
  // @ts-expect-error a kind whose unit is a definition cannot need a cluster
  needs: ['cluster'],
  observe: async () => null,
});

export const definitionWithClusterId = defineKind<'definition', typeof Empty, typeof Empty, 'lookup', string, never>({
  ...shared,
  unit: 'definition',
  needs: ['lookup'],
  // @ts-expect-error there is no clusterId on a definition
  observe: async (_ctx, obj) => obj.clusterId,
});

/** A scope is made by authorize, scopeOfJob and scopeOfOwner, and by nobody else. */
// @ts-expect-error a literal is no scope
export const forgedScope: TenantScope = { tenantId: '00000000-0000-4000-8000-000000000001', actor: { name: 'x', via: 'worker' } };

/** Without a transaction of a tenant nothing is read. */
export function readsWithoutTransaction(): unknown {
  // @ts-expect-error a plain object is no TenantTx
  const tx: TenantTx = { tenantId: 'x' };
  return getObject(tx, { kind: 'Secret', namespace: 'a', name: 'b' });
}

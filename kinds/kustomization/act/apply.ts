import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { describeRef, FENCE_ANNOTATION, withMetadata } from '#core/object-id.ts';
import type { Applied, ApplyItem } from '#core/ports.ts';
import type { Desired } from '../desired.ts';
import type { Needs } from '../observe.ts';
import type { KustomizationStatus } from '../schema.ts';

/**
 * Writes the intent inventory (old ∪ new), then applies. What the API server confirmed is recorded batch by batch, so that a crash at any point leaves every
 * object we may have made in the inventory (INV-5). Idempotent. Throws clusterAnswer listing what failed and what was already changed, or unknownResult.
 */
export async function apply(ctx: Ctx<Needs>, objects: readonly Desired[], revision: string): Promise<Shown<typeof KustomizationStatus>> {
  await ctx.inventory.intend(objects.map(({ id, version }) => ({ id, version })));
  await ctx.failpoints.hit('r6');
  const byId = new Map(objects.map((one) => [one.id, one]));
  const results = await ctx.cluster.apply(
    objects.map((one) => itemOf(one, ctx.inventory.fence)),
    {
      dryRun: false,
      beforeBatch: () => ctx.inventory.checkFence(),
      afterBatch: async (batch) => {
        await confirm(ctx, batch, byId);
      },
    },
    ctx.signal,
  );
  ctx.record(results.map(({ id, action, message }) => ({ id, action, ...(message === undefined ? {} : { message }) })));
  await ctx.failpoints.hit('r8');
  refuse(results, byId);
  return { status: { lastAttemptedRevision: revision }, revision };
}

function itemOf(one: Desired, fence: number): ApplyItem {
  const manifest = withMetadata(one.manifest, { annotations: { [FENCE_ANNOTATION]: String(fence) } });
  return { id: one.id, ref: one.ref, manifest, recreate: one.recreate, mode: one.mode === 'Ignore' ? 'Override' : one.mode };
}

async function confirm(ctx: Ctx<Needs>, batch: readonly Applied[], byId: ReadonlyMap<string, Desired>): Promise<void> {
  const confirmed = batch.flatMap((result) => {
    const one = byId.get(result.id);
    if (
      one === undefined ||
      result.uid === null ||
      result.resourceVersion === null ||
      result.unknown === true ||
      result.action === 'failed'
    )
      return [];
    return [
      {
        id: one.id,
        version: one.version,
        uid: result.uid,
        appliedDigest: one.digest,
        generation: result.generation,
        resourceVersion: result.resourceVersion,
      },
    ];
  });
  if (confirmed.length > 0) await ctx.inventory.confirm(confirmed);
}

function refuse(results: readonly Applied[], byId: ReadonlyMap<string, Desired>): void {
  const name = (id: string) => {
    const one = byId.get(id);
    return one === undefined ? id : describeRef(one.ref);
  };
  const failed = results.filter((one) => one.action === 'failed' && one.unknown !== true);
  const unknown = results.filter((one) => one.unknown === true);
  const changed = results.filter((one) => one.action === 'created' || one.action === 'configured').map((one) => name(one.id));
  const already = changed.length === 0 ? '' : `; already changed: ${changed.slice(0, 10).join(', ')}${changed.length > 10 ? ', …' : ''}`;
  if (failed.length > 0)
    throw new AppError(
      'clusterAnswer',
      `${failed
        .slice(0, 5)
        .map((one) => `${name(one.id)}: ${one.message ?? 'refused'}`)
        .join('; ')}${already}`,
    );
  if (unknown.length > 0)
    throw new AppError(
      'unknownResult',
      `no clear answer for ${unknown
        .slice(0, 5)
        .map((one) => name(one.id))
        .join(', ')}; looking again`,
    );
}

import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { describeRef } from '#core/object-id.ts';
import type { Removed } from '#core/ports.ts';
import type { Leaving } from '#core/prune-guard.ts';
import type { Needs } from '../observe.ts';
import type { KustomizationStatus } from '../schema.ts';

/**
 * Deletes what left the source, and forgets an entry only when the API server confirmed that the object is gone or is another one (INV-5, INV-6).
 * What could not be deleted stays in the inventory. Idempotent. Throws pruneFailed naming what was denied.
 */
export async function prune(
  ctx: Ctx<Needs>,
  deliveryId: string,
  leaving: readonly Leaving[],
  forget: readonly string[],
): Promise<Shown<typeof KustomizationStatus>> {
  const results = await removeAll(ctx, deliveryId, leaving);
  if (forget.length > 0) await ctx.inventory.forget(forget);
  refuseDenied(results, leaving);
  return {};
}

/** The same for every entry, used when the delivery itself goes. Returns what the API server said of each. */
export async function removeAll(ctx: Ctx<Needs>, deliveryId: string, leaving: readonly Leaving[]): Promise<readonly Removed[]> {
  const targets = leaving.flatMap((one) => {
    const uid = one.uid ?? one.live?.uid;
    return uid === undefined ? [] : [{ id: one.id, ref: one.ref, uid }];
  });
  const results = await ctx.cluster.remove(
    deliveryId,
    targets,
    {
      beforeBatch: () => ctx.inventory.checkFence(),
      afterBatch: async (batch) => {
        await ctx.failpoints.hit('r9');
        const gone = batch.filter((one) => one.is === 'gone' || one.is === 'otherUid' || one.is === 'notOurs').map((one) => one.id);
        await ctx.failpoints.hit('r10');
        if (gone.length > 0) await ctx.inventory.forget(gone);
      },
    },
    ctx.signal,
  );
  ctx.record(results.map((one) => ({ id: one.id, action: actionOf(one), ...(one.message === undefined ? {} : { message: one.message }) })));
  return results;
}

function actionOf(removed: Removed): 'deleted' | 'skipped' | 'failed' | 'unknown' {
  switch (removed.is) {
    case 'gone':
    case 'terminating':
      return 'deleted';
    case 'otherUid':
    case 'notOurs':
      return 'skipped';
    case 'denied':
      return 'failed';
    case 'unknown':
      return 'unknown';
  }
}

export function refuseDenied(results: readonly Removed[], leaving: readonly Leaving[]): void {
  const name = (id: string) => {
    const one = leaving.find((each) => each.id === id);
    return one === undefined ? id : describeRef(one.ref);
  };
  const denied = results.filter((one) => one.is === 'denied');
  if (denied.length > 0)
    throw new AppError(
      'pruneFailed',
      `not deleted, and kept in the inventory: ${denied
        .slice(0, 5)
        .map((one) => `${name(one.id)} (${one.message ?? 'denied'})`)
        .join('; ')}`,
    );
  const unknown = results.filter((one) => one.is === 'unknown');
  if (unknown.length > 0)
    throw new AppError(
      'unknownResult',
      `no clear answer to the delete of ${unknown
        .slice(0, 5)
        .map((one) => name(one.id))
        .join(', ')}; looking again`,
    );
}

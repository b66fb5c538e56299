import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { splitApiVersion } from '#core/object-id.ts';
import { condition } from '../conditions.ts';
import type { Looked, Needs } from '../observe.ts';
import type { HelmReleaseStatus } from '../status.ts';

type Shows = Shown<typeof HelmReleaseStatus>;

/** Sets back what was changed by hand, as helm's own field manager. Idempotent. Throws AppError clusterAnswer naming what was refused. */
export async function correct(ctx: Ctx<Needs>, { drift }: Looked): Promise<Shows> {
  const items = drift.map(({ id, ref, manifest }) => ({ id, ref, manifest, recreate: false, mode: 'Override' as const }));
  const results = await ctx.cluster.apply(
    items,
    {
      dryRun: false,
      beforeBatch: () => ctx.inventory.checkFence(),
      afterBatch: async (batch) => {
        const versions = new Map(items.map((one) => [one.id, splitApiVersion(one.ref.apiVersion).version]));
        const confirmed = batch.flatMap(({ id, uid, generation, resourceVersion, action, unknown }) =>
          uid === null || resourceVersion === null || action === 'failed' || unknown === true
            ? []
            : [{ id, version: versions.get(id) ?? '', uid, appliedDigest: '', generation, resourceVersion }],
        );
        if (confirmed.length > 0) await ctx.inventory.confirm(confirmed);
      },
    },
    ctx.signal,
  );
  ctx.record(results.map(({ id, action, message }) => ({ id, action, ...(message === undefined ? {} : { message }) })));
  const [refused] = results.filter((one) => one.action === 'failed');
  if (refused !== undefined) throw new AppError('clusterAnswer', `drift could not be corrected: ${refused.message ?? refused.id}`);
  return { conditions: [condition('Drifted', 'False', 'DriftCorrected', `corrected: ${drift.map((one) => one.shown).join('; ')}`)] };
}

/** Objects that moved without a difference are known by their new version from now on. */
export async function note(ctx: Ctx<Needs>, { settled }: Looked): Promise<Shows> {
  const entries = settled.map(({ id, version, meta: { uid, generation, resourceVersion } }) => ({
    id,
    version,
    uid,
    appliedDigest: '',
    generation,
    resourceVersion,
  }));
  await ctx.inventory.confirm(entries);
  return {};
}

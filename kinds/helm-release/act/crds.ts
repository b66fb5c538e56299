import { AppError } from '#core/errors.ts';
import type { Ctx } from '#core/kind.ts';
import { splitApiVersion, withMetadata } from '#core/object-id.ts';
import type { HelmReleaseObj, Looked, Needs } from '../observe.ts';
import { ownerLabels } from '../own-chart.ts';
import { placed } from '../post-render.ts';

/**
 * Applies the CRDs of the chart by the policy of the action before helm starts, so that they are established then (definitions.md 4.3): Create adds those that are not there,
 * CreateReplace also sets the others; none is ever deleted. Idempotent. Throws AppError clusterAnswer naming what was refused.
 */
export async function applyCrds(ctx: Ctx<Needs>, obj: HelmReleaseObj, kind: 'install' | 'upgrade', look: Looked): Promise<void> {
  const { install, upgrade } = obj.spec;
  const policy = kind === 'install' ? (install?.crds ?? (install?.skipCRDs === true ? 'Skip' : 'Create')) : (upgrade?.crds ?? 'Skip');
  if (policy === 'Skip' || !look.chart.hasCrds) return;
  const manifests = await ctx.helm.crds(look.chart, ctx.signal);
  const items = await Promise.all(
    manifests.map(async (manifest) => {
      const one = await placed(ctx, withMetadata(manifest, { labels: ownerLabels(obj) }), look.place);
      return { ...one, recreate: false, mode: policy === 'Create' ? ('IfNotPresent' as const) : ('Override' as const) };
    }),
  );
  await ctx.inventory.intend(items.map(({ id, ref }) => ({ id, version: splitApiVersion(ref.apiVersion).version })));
  const results = await ctx.cluster.apply(
    items,
    { dryRun: false, beforeBatch: () => ctx.inventory.checkFence(), afterBatch: async () => undefined },
    ctx.signal,
  );
  ctx.record(results.map(({ id, action, message }) => ({ id, action, ...(message === undefined ? {} : { message }) })));
  const [refused] = results.filter((one) => one.action === 'failed');
  if (refused !== undefined) throw new AppError('clusterAnswer', refused.message ?? `${refused.id} was refused`);
}

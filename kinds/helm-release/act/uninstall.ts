import type { ReleaseName, ReleaseRecord } from '#core/helm.ts';
import type { Ctx } from '#core/kind.ts';
import type { HelmReleaseObj, Needs } from '../observe.ts';
import { refuseRecord } from '../post-render.ts';
import { isGone } from '../records.ts';
import { actionTimeoutMs } from '../times.ts';

/** Uninstalls a release as the definition says. When there is no record, or one that says so, it counts as uninstalled (definitions.md 4.4). Idempotent. */
export async function uninstallRelease(
  ctx: Ctx<Needs>,
  { spec }: Pick<HelmReleaseObj, 'spec'>,
  place: ReleaseName,
  records: readonly ReleaseRecord[],
): Promise<void> {
  const [latest] = records;
  if (latest !== undefined && !isGone(latest)) {
    await refuseRecord(ctx, latest);
    await ctx.inventory.checkFence();
    await ctx.helm.perform(
      place,
      {
        do: 'uninstall',
        timeoutMs: actionTimeoutMs(spec, 'uninstall'),
        disableHooks: spec.uninstall?.disableHooks ?? false,
        disableWait: spec.uninstall?.disableWait ?? false,
        keepHistory: spec.uninstall?.keepHistory ?? false,
        cascade: spec.uninstall?.deletionPropagation ?? 'background',
      },
      ctx.signal,
    );
  }
  const inventory = await ctx.inventory.load();
  ctx.record(inventory.map(({ id }) => ({ id, action: 'deleted' as const })));
  if (inventory.length > 0) await ctx.inventory.forget(inventory.map((one) => one.id));
}

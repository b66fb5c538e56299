import { AppError } from '#core/errors.ts';
import type { Ctx, Judged } from '#core/kind.ts';
import { removeChart } from './act/own-chart.ts';
import { uninstallRelease } from './act/uninstall.ts';
import type { HelmReleaseObj, Needs } from './observe.ts';
import { ownChart } from './own-chart.ts';
import { isGone, isLocked, shownRecord } from './records.ts';
import type { HelmReleaseStatus } from './status.ts';

/**
 * The release leaves the cluster: it is uninstalled, unless the definition is suspended; a failed uninstall is tried again and keeps the object (definitions.md 4.4). With the
 * definition goes the HelmChart that was made for it.
 */
export async function finalize(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  why: 'deleted' | 'deselected',
): Promise<Judged<typeof HelmReleaseStatus>> {
  const { spec, status } = obj;
  const applied = status?.history?.[0] ?? (status?.applied === undefined ? null : status.applied);
  if (spec.suspend !== true && applied !== null) {
    const failure = await uninstalled(ctx, obj, { name: applied.name, namespace: applied.namespace });
    if (failure !== null) return { is: 'failed', reason: 'UninstallFailed', message: failure };
  }
  const chart = ownChart(obj);
  if (why === 'deleted' && chart !== null) await removeChart(ctx, obj, `${chart.namespace}/${chart.name}`);
  return { is: 'ready', reason: 'UninstallSucceeded', message: 'the release is uninstalled', revision: '' };
}

async function uninstalled(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  place: Readonly<{ name: string; namespace: string }>,
): Promise<string | null> {
  try {
    const records = await ctx.helm.records(place, ctx.signal);
    const [latest] = records;
    if (latest !== undefined && isLocked(latest) && !isGone(latest))
      await ctx.helm.unlock(latest, `Release unlocked to be uninstalled`, ctx.signal);
    await uninstallRelease(ctx, obj, place, records);
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || !['clusterAnswer', 'buildFailed'].includes(error.code)) throw error;
    const latest = obj.status?.history?.[0];
    return `Helm uninstall of release ${latest === undefined ? `${place.namespace}/${place.name}` : shownRecord(latest)} failed: ${error.message}`;
  }
}

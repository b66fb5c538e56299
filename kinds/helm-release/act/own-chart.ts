import type { Ctx, Shown } from '#core/kind.ts';
import type { HelmReleaseObj, Needs } from '../observe.ts';
import { ownChart, ownerLabels } from '../own-chart.ts';
import type { HelmReleaseStatus } from '../status.ts';

/** Writes the HelmChart of `spec.chart`, and takes away the one that is no longer used. Idempotent. */
export async function writeChart(ctx: Ctx<Needs>, obj: HelmReleaseObj): Promise<Shown<typeof HelmReleaseStatus>> {
  const wanted = ownChart(obj);
  const shown = wanted === null ? '' : `${wanted.namespace}/${wanted.name}`;
  const former = obj.status?.helmChart ?? '';
  if (wanted !== null) await ctx.owned.ensure(wanted);
  if (former !== '' && former !== shown) await removeChart(ctx, obj, former);
  return { status: { helmChart: shown } };
}

/** Only one that carries our labels: a HelmChart that somebody else made under the name stays. */
export async function removeChart(ctx: Ctx<Needs>, obj: Pick<HelmReleaseObj, 'definition'>, shown: string): Promise<void> {
  const [namespace = '', name = ''] = shown.split('/');
  await ctx.owned.remove({ kind: 'HelmChart', namespace, name }, ownerLabels(obj));
}

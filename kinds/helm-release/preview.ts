import { fieldChanges, type ObjectDiff } from '#core/diff.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx } from '#core/kind.ts';
import { installAction, upgradeAction } from './act/attempt.ts';
import { refsOf } from './drift.ts';
import { invalidTarget } from './ignored.ts';
import { chartOf, type HelmReleaseObj, type Needs } from './observe.ts';
import { isMissingOwnChart, ownChart } from './own-chart.ts';
import { placeOf } from './place.ts';
import { asHelmApplies, finalList, type Placed } from './post-render.ts';
import { isGone } from './records.ts';
import { findSource } from './source.ts';
import { unsupportedField } from './unsupported.ts';
import { valuesOf } from './values.ts';

/**
 * What a HelmRelease, as it is proposed, would change on one cluster: the list that helm would apply there, then one dry run per object as the tenant. Hooks and CRDs are left out. The
 * chart is the one that was packaged last. Writes nothing. Throws what a run would throw; what a run would wait for is buildFailed.
 */
export async function preview(ctx: Ctx<Needs>, obj: HelmReleaseObj): Promise<readonly ObjectDiff[]> {
  const diffs: ObjectDiff[] = [];
  const lasting = await wantedObjects(ctx, obj);
  for (const one of lasting) {
    const { live, after } = await ctx.cluster.preview({ ...one, recreate: false, mode: 'Override' }, ctx.signal);
    const fields = live === null ? [] : fieldChanges(live, after);
    diffs.push({ id: one.id, ref: one.ref, change: live === null ? 'added' : fields.length === 0 ? 'unchanged' : 'changed', fields });
  }
  const wanted = new Set(lasting.map((one) => one.id));
  const leaving = refsOf(await ctx.inventory.load()).filter(({ id, ref }) => !wanted.has(id) && ref.kind !== 'CustomResourceDefinition');
  return [...diffs, ...leaving.map(({ id, ref }) => ({ id, ref, change: 'removed' as const, fields: [] }))];
}

async function wantedObjects(ctx: Ctx<Needs>, obj: HelmReleaseObj): Promise<readonly Placed[]> {
  const { definition, spec } = obj;
  const refused = unsupportedField(spec) ?? invalidTarget(ctx.patterns, spec);
  if (refused !== null) throw new AppError('buildFailed', refused);
  const release = placeOf(definition, spec, ctx.cluster.namespaces);
  if ('problem' in release) throw new AppError('buildFailed', release.problem);
  const own = ownChart(obj);
  // A preview has no status: whether the chart is noted there says nothing about what it would change.
  const status = own === null ? obj.status : { ...obj.status, helmChart: `${own.namespace}/${own.name}` };
  const missing = await isMissingOwnChart(ctx.lookup, { ...obj, status });
  if (missing !== null) throw new AppError('buildFailed', `a preview takes a chart that is packaged already: ${missing.why}`);
  const source = await findSource(ctx.lookup, definition, spec);
  if (source.is !== 'artifact') throw new AppError('buildFailed', source.message);
  const composed = await valuesOf(ctx, definition.namespace, spec);
  if (composed.is === 'wrong') throw new AppError('buildFailed', composed.message);
  const chart = await chartOf(ctx, source);
  if ('by' in chart) throw new AppError('buildFailed', chart.message);
  const [latest] = await ctx.helm.records(release, ctx.signal);
  const action = latest === undefined || isGone(latest) ? installAction(obj) : upgradeAction(obj);
  const listed = await ctx.helm.listed({ release, chart, values: composed.values, action }, ctx.signal);
  return (await finalList(ctx, obj, release, listed)).lasting.map((one) => asHelmApplies(one, release));
}

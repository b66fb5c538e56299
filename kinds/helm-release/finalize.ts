import { AppError } from '#core/errors.ts';
import type { ReleaseName } from '#core/helm.ts';
import type { Ctx, Judged } from '#core/kind.ts';
import { deselectionGuard } from '#core/prune-guard.ts';
import { removeChart } from './act/own-chart.ts';
import { uninstallRelease } from './act/uninstall.ts';
import { refsOf } from './drift.ts';
import type { HelmReleaseObj, Needs } from './observe.ts';
import { ownChart } from './own-chart.ts';
import { placeOf } from './place.ts';
import { isLocked, isOurs } from './records.ts';
import type { HelmReleaseStatus } from './status.ts';

const APPROVAL_AGAIN_MS = 10 * 60_000;

/**
 * The release leaves the cluster: it is uninstalled, unless the definition is suspended; a failed uninstall is tried again and keeps the object (definitions.md 4.4). A
 * deselected cluster goes through the same guard as a Kustomization's. With the definition goes the HelmChart that was made for it.
 */
export async function finalize(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  why: 'deleted' | 'deselected',
): Promise<Judged<typeof HelmReleaseStatus>> {
  const { spec } = obj;
  if (spec.suspend !== true) {
    const held = why === 'deselected' ? await guarded(ctx, obj) : null;
    if (held !== null) return { is: 'waiting', reason: 'PruneApprovalRequired', message: held, afterMs: APPROVAL_AGAIN_MS };
    const failure = await uninstalled(ctx, obj);
    if (failure !== null) return { is: 'failed', reason: 'UninstallFailed', message: failure };
  }
  const chart = ownChart(obj);
  if (why === 'deleted' && chart !== null) await removeChart(ctx, obj, `${chart.namespace}/${chart.name}`);
  return { is: 'ready', reason: 'UninstallSucceeded', message: 'the release is uninstalled', revision: '' };
}

/** What a deselected cluster waits for: a person who deletes the definition is not asked again. CRDs stay, so they do not count. */
async function guarded(ctx: Ctx<Needs>, { deliveryId, definition }: HelmReleaseObj): Promise<string | null> {
  const granted = ctx.cluster.namespaces;
  const isGranted = (namespace: string): boolean => namespace === '' || granted.length === 0 || granted.includes(namespace);
  const refs = refsOf(await ctx.inventory.load()).filter(({ ref }) => ref.kind !== 'CustomResourceDefinition' && isGranted(ref.namespace));
  const live = await ctx.cluster.live(deliveryId, refs, ctx.signal);
  const prune = refs.flatMap(({ id, ref }) => {
    const meta = live.get(id) ?? null;
    return meta === null ? [] : [{ id, ref, uid: meta.uid, live: meta }];
  });
  const { annotations } = definition;
  const held = await deselectionGuard(ctx.cluster, { kind: 'HelmRelease', prune, total: refs.length, annotations }, ctx.signal);
  return held?.message ?? null;
}

/** Null when it is gone, or was never there. */
async function uninstalled(ctx: Ctx<Needs>, obj: HelmReleaseObj): Promise<string | null> {
  const place = whereabouts(ctx, obj);
  if (place === null) return null;
  try {
    const records = await ctx.helm.records(place, ctx.signal);
    const [latest] = records;
    if (latest !== undefined && !(await isOurs(ctx.helm, obj, latest))) return null;
    if (latest !== undefined && isLocked(latest)) await ctx.helm.unlock(latest, 'Release unlocked to be uninstalled', ctx.signal);
    await uninstallRelease(ctx, obj, place, records);
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || !['clusterAnswer', 'buildFailed'].includes(error.code)) throw error;
    return `Helm uninstall of release ${place.namespace}/${place.name} failed: ${error.message}`;
  }
}

/** Where the last record was; before there was one in status, where a run would have made it: it may have been killed in between. */
function whereabouts(ctx: Ctx<Needs>, { definition, spec, status }: HelmReleaseObj): ReleaseName | null {
  const own = status?.history?.[0] ?? status?.applied;
  if (own !== undefined) return { name: own.name, namespace: own.namespace };
  const place = placeOf(definition, spec, ctx.cluster.namespaces);
  return 'problem' in place ? null : place;
}

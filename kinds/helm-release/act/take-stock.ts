import type { ReleaseRecord } from '#core/helm.ts';
import type { Ctx } from '#core/kind.ts';
import { splitApiVersion } from '#core/object-id.ts';
import { isRecord } from '../drift.ts';
import type { HelmReleaseObj, Needs } from '../observe.ts';
import { placed } from '../post-render.ts';
import type { HelmReleaseStatus } from '../status.ts';

/**
 * Writes down what the release consists of now: each object as the cluster shows it goes into the inventory, and what is no longer part of it leaves (helm deleted it, or
 * its annotation keeps it). CRDs stay. Idempotent.
 */
export async function takeStock(
  ctx: Ctx<Needs>,
  { deliveryId }: HelmReleaseObj,
  records: readonly ReleaseRecord[],
): Promise<Partial<HelmReleaseStatus>> {
  const [record] = records;
  if (record === undefined) return {};
  const manifests = await ctx.helm.objectsOf(record, ctx.signal);
  const objects = await Promise.all(manifests.map((manifest) => placed(ctx, manifest, record)));
  const before = await ctx.inventory.load();
  const wasThere = new Set(before.filter((one) => one.state === 'applied').map((one) => one.id));
  const live = await ctx.cluster.live(deliveryId, objects, ctx.signal);
  const confirmed = objects.flatMap(({ id, ref }) => {
    const meta = live.get(id) ?? null;
    if (meta === null) return [];
    const { uid, generation, resourceVersion } = meta;
    return [{ id, version: splitApiVersion(ref.apiVersion).version, uid, appliedDigest: '', generation, resourceVersion }];
  });
  if (confirmed.length > 0) await ctx.inventory.confirm(confirmed);
  const now = new Set(objects.map((one) => one.id));
  const gone = before.map((one) => one.id).filter((id) => !now.has(id) && !isCrd(id));
  if (gone.length > 0) await ctx.inventory.forget(gone);
  ctx.record(confirmed.map(({ id }) => ({ id, action: wasThere.has(id) ? ('configured' as const) : ('created' as const) })));
  const crds = before.filter((one) => isCrd(one.id)).map((one) => ({ id: one.id, v: one.version }));
  const entries = objects.filter((one) => !isRecord(one.ref)).map(({ id, ref }) => ({ id, v: splitApiVersion(ref.apiVersion).version }));
  return { inventory: { entries: [...crds.filter((one) => !now.has(one.id)), ...entries] } };
}

function isCrd(id: string): boolean {
  return id.endsWith('_apiextensions.k8s.io_CustomResourceDefinition');
}

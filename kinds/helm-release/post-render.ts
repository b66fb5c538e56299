import { AppError } from '#core/errors.ts';
import { refuseOutsideGrant, refusePlatformMetadata } from '#core/grant-check.ts';
import type { ReleaseName, ReleaseRecord } from '#core/helm.ts';
import { textAt } from '#core/json.ts';
import type { Ctx } from '#core/kind.ts';
import { DELIVERY_LABEL, describeRef, objectId, refOfManifest, splitApiVersion, withMetadata } from '#core/object-id.ts';
import type { Manifest, ObjectRef } from '#core/ports.ts';
import type { HelmReleaseObj, Needs } from './observe.ts';
import { ownerLabels } from './own-chart.ts';

export type Placed = Readonly<{ id: string; ref: ObjectRef; manifest: Manifest }>;

/**
 * What becomes of helm's final list before anything of it is applied: the post-renderers of the definition in their order, common metadata, the owner's labels, and
 * then the checks. The one choke point of a release (threats B13): hooks and tests are in the list, `crds/` passes the same check before it is applied. What is refused is
 * thrown, and helm applies nothing. The intent inventory is written here (INV-5).
 */
export function postRenderer(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  place: ReleaseName,
): (objects: readonly Manifest[]) => Promise<readonly Manifest[]> {
  return async (objects) => {
    const { labelled, lasting } = await finalList(ctx, obj, place, objects);
    await ctx.inventory.intend(lasting.map(({ id, ref }) => ({ id, version: splitApiVersion(ref.apiVersion).version })));
    await ctx.inventory.checkFence();
    return labelled;
  };
}

/** The list as it will be applied, and of it what stays as objects of the release; hooks come and go. Throws what refuses it. Writes nothing. */
export async function finalList(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  place: ReleaseName,
  objects: readonly Manifest[],
): Promise<Readonly<{ labelled: readonly Manifest[]; lasting: readonly Placed[] }>> {
  const changed = await changedByDefinition(ctx, obj, objects);
  const labelled = changed.map((one) => labelledBy(obj, one));
  const all = await Promise.all(labelled.map((one) => placed(ctx, one, place)));
  const lasting = all.filter((one) => !isHook(one.manifest));
  await refuseOthers(ctx, obj, lasting);
  return { labelled, lasting };
}

async function changedByDefinition(ctx: Ctx<Needs>, { spec }: HelmReleaseObj, objects: readonly Manifest[]): Promise<readonly Manifest[]> {
  const hooks = objects.filter(isHook);
  const others = objects.filter((one) => !isHook(one));
  switch (spec.postRenderStrategy ?? 'combined') {
    case 'combined':
      return patched(ctx, spec.postRenderers, objects);
    case 'separate':
      return [...(await patched(ctx, spec.postRenderers, others)), ...(await patched(ctx, spec.postRenderers, hooks))];
    case 'nohooks':
      return [...(await patched(ctx, spec.postRenderers, others)), ...hooks];
  }
}

async function patched(
  ctx: Ctx<Needs>,
  renderers: HelmReleaseObj['spec']['postRenderers'],
  objects: readonly Manifest[],
): Promise<readonly Manifest[]> {
  let current = objects;
  for (const { kustomize } of renderers ?? []) {
    const patches = kustomize?.patches ?? [];
    const images = kustomize?.images ?? [];
    if (current.length > 0 && patches.length + images.length > 0) current = await ctx.helm.patch(current, { patches, images }, ctx.signal);
  }
  return current;
}

/** A hook comes and goes with an action: it is no object of the delivery, so it has no label that the watches and pruning go by. */
function labelledBy(obj: HelmReleaseObj, manifest: Manifest): Manifest {
  const { commonMetadata, postRenderStrategy } = obj.spec;
  if (isHook(manifest) && postRenderStrategy === 'nohooks') return manifest;
  const own = isHook(manifest) ? {} : { [DELIVERY_LABEL]: obj.deliveryId };
  return withMetadata(manifest, {
    labels: { ...(commonMetadata?.labels ?? {}), ...ownerLabels(obj), ...own },
    annotations: commonMetadata?.annotations ?? {},
  });
}

export function isHook(manifest: Manifest): boolean {
  return textAt(manifest, 'metadata', 'annotations', 'helm.sh/hook') !== undefined;
}

/** The object with its namespace, as helm will place it. Throws AppError for one that is no object, or lies outside the grant. */
export async function placed(ctx: Ctx<Needs>, manifest: Manifest, place: ReleaseName): Promise<Placed> {
  const named = refOfManifest(manifest);
  if (named === null) throw new AppError('buildFailed', 'the chart renders an object without apiVersion, kind or metadata.name');
  const type = await ctx.cluster.resolve(named.apiVersion, named.kind, ctx.signal);
  const ref = { ...named, namespace: type?.namespaced === false ? '' : named.namespace || place.namespace };
  const grant = { granted: ctx.cluster.namespaces, clusterName: ctx.cluster.clusterName };
  refuseOutsideGrant(ref, grant);
  refusePlatformMetadata(manifest, ref, grant);
  const complete = ref.namespace === '' || named.namespace !== '' ? manifest : withMetadata(manifest, { namespace: ref.namespace });
  return { id: objectId(ref), ref, manifest: complete };
}

/** The object with what helm itself adds when it applies it, after the list was checked and recorded (helm.sh/helm/v4 pkg/action `setMetadataVisitor`): without it another dry run or apply would take that away. */
export function asHelmApplies(one: Placed, release: ReleaseName): Placed {
  const manifest = withMetadata(one.manifest, {
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': release.name, 'meta.helm.sh/release-namespace': release.namespace },
  });
  return { ...one, manifest };
}

/** Helm would take over what exists; an object of another delivery has to be let go of there first (reliability.md fault 25). */
async function refuseOthers(ctx: Ctx<Needs>, { deliveryId }: HelmReleaseObj, objects: readonly Placed[]): Promise<void> {
  const live = await ctx.cluster.live(deliveryId, objects, ctx.signal);
  for (const { id, ref } of objects) {
    const owner = live.get(id)?.deliveryLabel ?? null;
    if (owner !== null && owner !== deliveryId)
      throw new AppError('clusterAnswer', `${describeRef(ref)} belongs to another delivery, which has to let go of it first`);
  }
}

/** A record is data of the cluster: what it would bring back, test or delete passes the same check again. */
export async function refuseRecord(ctx: Ctx<Needs>, record: ReleaseRecord): Promise<void> {
  const objects = await ctx.helm.objectsOf(record, ctx.signal);
  const hooks = await ctx.helm.hooksOf(record, ctx.signal);
  for (const manifest of [...objects, ...hooks]) await placed(ctx, manifest, record);
}

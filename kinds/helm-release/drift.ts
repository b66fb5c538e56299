import { fieldChanges } from '#core/diff.ts';
import type { ReleaseName, ReleaseRecord } from '#core/helm.ts';
import { isObject, type Json, type JsonObject } from '#core/json.ts';
import type { Ctx } from '#core/kind.ts';
import { describeRef, objectId, refOfId, splitApiVersion } from '#core/object-id.ts';
import type { LiveMeta, Manifest, ObjectRef } from '#core/ports.ts';
import type { InventoryEntry } from '#core/store.ts';
import { ignoredPointers } from './ignored.ts';
import type { HelmReleaseObj, Needs } from './observe.ts';
import { atPointer, withPointer } from './pointers.ts';
import { asHelmApplies, placed } from './post-render.ts';
import type { HelmReleaseSpec } from './schema.ts';

/** One object that is not as the release says. `manifest` is what a correction applies: fields left to others are as they are. */
export type Drifted = Readonly<{ id: string; ref: ObjectRef; manifest: Manifest; shown: string }>;

const DISABLED = 'helm.toolkit.fluxcd.io/driftDetection';

/** The Secret with a record; helm names it so (helm.sh/helm/v4 pkg/storage). */
export function recordRef(place: ReleaseName, version: number): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace: place.namespace, name: `sh.helm.release.v1.${place.name}.v${version}` };
}

export function isRecord(ref: ObjectRef): boolean {
  return ref.kind === 'Secret' && ref.name.startsWith('sh.helm.release.v1.');
}

type Since = Readonly<{ deliveryId: string; place: ReleaseName; record: string; version: number; spec: HelmReleaseSpec }>;

/** Whether a record, or with drift detection an object of the release, moved since it was last seen. From the watches: no request when they are synced. */
export async function hasMoved(ctx: Ctx<Needs>, { deliveryId, place, record, version, spec }: Since): Promise<boolean> {
  if ((await latestRecord(ctx, deliveryId, place, version)) !== record) return true;
  if ((spec.driftDetection?.mode ?? 'disabled') === 'disabled') return false;
  const inventory = await ctx.inventory.load();
  const live = await ctx.cluster.live(deliveryId, refsOf(inventory), ctx.signal);
  return inventory.some((entry) => isMoved(entry, live.get(entry.id) ?? null));
}

/** The newest record of the release as the watch shows it; helm hands our label on to the records that anybody's helm makes. */
async function latestRecord(ctx: Ctx<Needs>, deliveryId: string, place: ReleaseName, version: number): Promise<string | null> {
  const labelled = await watchedRecords(ctx, deliveryId, place);
  const prefix = recordRef(place, 0).name.slice(0, -1);
  const versions = [...(labelled?.keys() ?? [])].filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length)));
  const ref = recordRef(place, versions.length === 0 ? version : Math.max(...versions));
  const wanted = { id: objectId(ref), ref };
  const live = labelled?.get(ref.name) ?? (await ctx.cluster.live(deliveryId, [wanted], ctx.signal)).get(wanted.id) ?? null;
  return live === null ? null : `${live.uid}/${live.resourceVersion}`;
}

/** Secrets of the delivery, by name; opens their watch, so that who changes the release with helm is seen at once. */
export function watchedRecords(
  ctx: Ctx<Needs>,
  deliveryId: string,
  { namespace }: ReleaseName,
): Promise<ReadonlyMap<string, LiveMeta> | null> {
  return ctx.cluster.labelled(deliveryId, { apiVersion: 'v1', kind: 'Secret', namespace }, ctx.signal);
}

export function refsOf(inventory: readonly InventoryEntry[]): readonly Readonly<{ id: string; ref: ObjectRef }>[] {
  return inventory.flatMap((entry) => {
    const ref = refOfId(entry.id, entry.version);
    return ref === null || isRecord(ref) ? [] : [{ id: entry.id, ref }];
  });
}

/** By generation where the kind has one: status and others' fields do not move it. */
function isMoved(entry: InventoryEntry, live: LiveMeta | null): boolean {
  if (entry.state !== 'applied' || live === null || live.uid !== entry.uid) return true;
  if (live.generation !== null && entry.generation !== null) return live.generation !== entry.generation;
  return live.resourceVersion !== entry.resourceVersion;
}

/** Moved without a difference: only the record of its version is to be renewed. */
export type Settled = Readonly<{ id: string; version: string; meta: LiveMeta }>;

/** Objects of the release that differ from it, by one dry run each for those that moved. */
export async function driftOf(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  record: ReleaseRecord,
): Promise<Readonly<{ drifted: readonly Drifted[]; settled: readonly Settled[] }>> {
  const manifests = await ctx.helm.objectsOf(record, ctx.signal);
  const known = new Map((await ctx.inventory.load()).map((entry) => [entry.id, entry]));
  const drifted: Drifted[] = [];
  const settled: Settled[] = [];
  const wanted = await Promise.all(manifests.map(async (manifest) => asHelmApplies(await placed(ctx, manifest, record), record)));
  const live = await ctx.cluster.live(obj.deliveryId, wanted, ctx.signal);
  for (const { id, ref, manifest } of wanted) {
    const entry = known.get(id);
    const meta = live.get(id) ?? null;
    if (isLeftAlone(manifest) || (meta !== null && isLeftAloneLive(meta))) continue;
    if (entry !== undefined && !isMoved(entry, meta)) continue;
    const one = await differing(ctx, obj.spec, { id, ref, manifest }, meta);
    if (one !== null) drifted.push(one);
    else if (meta !== null) settled.push({ id, version: splitApiVersion(ref.apiVersion).version, meta });
  }
  return { drifted, settled };
}

async function differing(
  ctx: Ctx<Needs>,
  spec: HelmReleaseSpec,
  one: Readonly<{ id: string; ref: ObjectRef; manifest: Manifest }>,
  meta: LiveMeta | null,
): Promise<Drifted | null> {
  const pointers = ignoredPointers(ctx.patterns, spec, one);
  if (pointers.includes('')) return null;
  if (meta === null) return { ...one, shown: `${describeRef(one.ref)} is missing` };
  const { live, after } = await ctx.cluster.preview({ ...one, recreate: false, mode: 'Override' }, ctx.signal);
  if (live === null) return { ...one, shown: `${describeRef(one.ref)} is missing` };
  const changes = fieldChanges(live, withIgnored(after, live, pointers));
  if (changes.length === 0) return null;
  const paths = changes.slice(0, 3).map((change) => change.path);
  return {
    ...one,
    manifest: withIgnored(one.manifest, live, pointers),
    shown: `${describeRef(one.ref)} changed (${paths.join(', ')}${changes.length > 3 ? ', …' : ''})`,
  };
}

/** The object with the live values at the paths that are left to others. */
function withIgnored(object: JsonObject, live: JsonObject, pointers: readonly string[]): JsonObject {
  return pointers.reduce<JsonObject>((result, pointer) => {
    const set: Json = withPointer(result, pointer, atPointer(live, pointer));
    return isObject(set) ? set : result;
  }, object);
}

function isLeftAlone(manifest: Manifest): boolean {
  const metadata = isObject(manifest['metadata']) ? manifest['metadata'] : {};
  return [metadata['annotations'], metadata['labels']].some((map) => isObject(map) && isDisabled(map[DISABLED]));
}

function isLeftAloneLive(meta: LiveMeta): boolean {
  return isDisabled(meta.annotations[DISABLED]);
}

function isDisabled(value: Json | undefined): boolean {
  return typeof value === 'string' && value.toLowerCase() === 'disabled';
}

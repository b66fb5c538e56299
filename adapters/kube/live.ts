import { getMeta, type Target } from '#adapters/kube/objects.ts';
import type { ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import { listCollection, WatchRefused } from '#adapters/kube/watch/collection.ts';
import { metaEntry } from '#adapters/kube/watch/entries.ts';
import type { LiveView } from '#adapters/kube/watch/live-view.ts';
import { AppError } from '#core/errors.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { LiveMeta, ObjectRef } from '#core/ports.ts';

export type Wanted = Readonly<{ id: string; ref: ObjectRef }>;

export type LiveRun = Readonly<{
  session: Session;
  view: LiveView;
  deliveryId: string;
  resolve(apiVersion: string, kind: string): Promise<ResourceType | null>;
  /** How drift of these objects is seen from now on. */
  sees(mode: 'watch' | 'list'): void;
  signal: AbortSignal;
}>;

type Group = Readonly<{ type: ResourceType; namespace: string; wanted: Wanted[] }>;

/** Refs by kind and namespace, with those whose kind the cluster does not have apart. */
export async function groupByCollection(
  wanted: readonly Wanted[],
  resolve: LiveRun['resolve'],
): Promise<Readonly<{ groups: readonly Group[]; kindless: readonly Wanted[] }>> {
  const groups = new Map<string, Group>();
  const kindless: Wanted[] = [];
  for (const one of wanted) {
    const type = await resolve(one.ref.apiVersion, one.ref.kind);
    if (type === null) {
      kindless.push(one);
      continue;
    }
    const namespace = type.namespaced ? one.ref.namespace : '';
    const key = `${type.group}/${type.version}/${type.plural}/${namespace}`;
    const group = groups.get(key) ?? { type, namespace, wanted: [] };
    group.wanted.push(one);
    groups.set(key, group);
  }
  return { groups: [...groups.values()], kindless };
}

/**
 * Metadata of each object, from the watches when they are synced: no request for what carries our label. Beyond the budget of watches one list per
 * collection, and where the account may not list, one request per object. What is not found in that way is asked for by itself, so null is the API
 * server's own word that the object is absent: an object that lost its label must not look like one that is gone (INV-5).
 */
export async function readLive(run: LiveRun, wanted: readonly Wanted[]): Promise<ReadonlyMap<string, LiveMeta | null>> {
  const { groups, kindless } = await groupByCollection(wanted, run.resolve);
  const read = await Promise.all(groups.map((group) => readGroup(run, group)));
  // One collection without a watch is enough: its drift is not seen at once.
  run.sees(read.every((one) => one.watched) ? 'watch' : 'list');
  return new Map([...kindless.map((one): [string, null] => [one.id, null]), ...read.flatMap((one) => [...one.found])]);
}

/** Everything of one kind and namespace that carries the delivery's label, by name: from the watch, else by one list. Null where the account may not list. */
export async function readLabelledAll(
  run: LiveRun,
  kind: Readonly<{ apiVersion: string; kind: string; namespace: string }>,
): Promise<ReadonlyMap<string, LiveMeta> | null> {
  const type = await run.resolve(kind.apiVersion, kind.kind);
  if (type === null) return new Map();
  const namespace = type.namespaced ? kind.namespace : '';
  const watcher = run.view.metas(run.deliveryId, type, namespace);
  try {
    if (watcher === null) return await listOnce(run, { type, namespace, wanted: [] });
    await watcher.ready(run.signal);
    const own = [...watcher.entries()].filter((entry) => entry.deliveryId === run.deliveryId);
    return new Map(own.map((entry) => [entry.name, entry.meta]));
  } catch (error) {
    if (error instanceof WatchRefused) return null;
    throw error;
  }
}

type Read = Readonly<{ watched: boolean; found: ReadonlyMap<string, LiveMeta | null> }>;

async function readGroup(run: LiveRun, group: Group): Promise<Read> {
  const { watched, byName } = await readLabelled(run, group);
  const found = new Map<string, LiveMeta | null>();
  const others: Wanted[] = [];
  for (const one of group.wanted) {
    const meta = byName(one.ref.name);
    // Out of the selection since its label was taken: the watch no longer follows it.
    if (meta === null || meta.deliveryLabel === null) others.push(one);
    else found.set(one.id, meta);
  }
  const asked = await Promise.all(
    others.map(async (one): Promise<[string, LiveMeta | null]> => [one.id, await getMeta(run.session, targetOf(group, one), run.signal)]),
  );
  return { watched, found: new Map([...found, ...asked]) };
}

/** What carries our label, by name. */
async function readLabelled(run: LiveRun, group: Group): Promise<Readonly<{ watched: boolean; byName(name: string): LiveMeta | null }>> {
  const watcher = run.view.metas(run.deliveryId, group.type, group.namespace);
  try {
    if (watcher === null) {
      const listed = await listOnce(run, group);
      return { watched: false, byName: (name) => listed.get(name) ?? null };
    }
    await watcher.ready(run.signal);
    return { watched: true, byName: (name) => watcher.get(name)?.meta ?? null };
  } catch (error) {
    if (!(error instanceof WatchRefused)) throw error;
    return { watched: false, byName: () => null };
  }
}

async function listOnce(run: LiveRun, group: Group): Promise<ReadonlyMap<string, LiveMeta>> {
  const { type, namespace } = group;
  const listed = await listCollection(
    { session: run.session, type, namespace, selector: `${DELIVERY_LABEL}=${run.deliveryId}`, full: false },
    run.signal,
  );
  return new Map(listed.objects.flatMap((object) => metaEntry(object) ?? []).map((entry) => [entry.name, entry.meta]));
}

export function targetOf(group: Readonly<{ type: ResourceType; namespace: string }>, one: Wanted): Target {
  if (group.type.namespaced && group.namespace === '') throw new AppError('invalid', `${one.ref.kind} ${one.ref.name} names no namespace`);
  return { type: group.type, namespace: group.namespace, name: one.ref.name };
}

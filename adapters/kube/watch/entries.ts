import { judgeHealth } from '#adapters/kube/health/judge.ts';
import { metaOf } from '#adapters/kube/meta.ts';
import { ownershipMark } from '#adapters/kube/ssa/managers.ts';
import type { Entry } from '#adapters/kube/watch/watcher.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import type { Health, LiveMeta } from '#core/ports.ts';

/** What the metadata watch keeps of an object. */
export type MetaEntry = Entry & Readonly<{ meta: LiveMeta /** Changes exactly when a field of ours did. */; mark: string }>;
/** What the whole-object watch keeps: the verdict, not the object. */
export type HealthEntry = Entry & Readonly<{ verdict: Pick<Health, 'is' | 'message'> }>;

export function metaEntry(object: JsonObject): MetaEntry | null {
  const meta = metaOf(object);
  const name = textAt(object, 'metadata', 'name');
  if (meta === null || name === undefined) return null;
  return Object.freeze({ name, resourceVersion: meta.resourceVersion, deliveryId: meta.deliveryLabel, meta, mark: ownershipMark(object) });
}

/** Objects in a list carry no apiVersion and kind: the collection's are given. */
export function healthEntry(object: JsonObject, apiVersion: string, kind: string, nowMs: number): HealthEntry | null {
  const meta = metaOf(object);
  const name = textAt(object, 'metadata', 'name');
  if (meta === null || name === undefined) return null;
  return Object.freeze({
    name,
    resourceVersion: meta.resourceVersion,
    deliveryId: meta.deliveryLabel,
    verdict: judgeHealth(apiVersion, kind, object, nowMs),
  });
}

/** A change that makes a delivery due: of a field of ours, of the label, or the beginning of a deletion. Status and other managers' fields are none. */
export function isDrift(entry: MetaEntry, before: MetaEntry | null): boolean {
  if (before === null) return true;
  return (
    entry.mark !== before.mark ||
    entry.deliveryId !== before.deliveryId ||
    entry.meta.uid !== before.meta.uid ||
    entry.meta.deleting !== before.meta.deleting
  );
}

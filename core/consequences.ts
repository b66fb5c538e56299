import { canonicalJson, type Json, textAt } from './json.ts';
import type { Resource } from './resource.ts';
import type { Consequences, OutboxEntry, StoredObject } from './store.ts';

/** What the runtime does with a kind; null for kinds nobody reconciles (ConfigMap, AccessToken, …). */
export type Reconciled = Readonly<{ unit: 'definition' | 'delivery' }> | null;

export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
export const DEFAULT_CLUSTER = 'weir.dev/default-cluster';
export const APPROVE_PRUNE = 'weir.dev/approve-prune';
/** Of an ImagePolicy: another order than the tag's own text. */
export const IMAGE_ORDER = 'weir.dev/order';
/** Cause of a run that a Cluster's return woke. */
export const CLUSTER_IS_BACK = 'cluster is back';
const WATCHED = 'reconcile.fluxcd.io/watch';

type Change = Readonly<{ resource: Resource; reconciled: Reconciled; before: StoredObject | null; after: StoredObject | null }>;

/**
 * What a write of an object means for work: whose run is outdated, who is due, who is told. Pure; used by the API for every write,
 * so that no route can forget one (INV-3). `after` is null when the object is gone.
 */
export function consequencesOf(change: Change): Consequences {
  const { reconciled, before, after } = change;
  const specMoved = before?.generation !== after?.generation;
  const asked = annotation(before, REQUESTED_AT) !== annotation(after, REQUESTED_AT);
  const approved = annotation(before, APPROVE_PRUNE) !== annotation(after, APPROVE_PRUNE);
  const ordered = annotation(before, IMAGE_ORDER) !== annotation(after, IMAGE_ORDER);
  const deleting = (before?.deletingAtMs ?? null) !== (after?.deletingAtMs ?? null);
  const raiseFence = reconciled !== null && after !== null && (specMoved || deleting);
  const trigger = reconciled !== null && after !== null && (specMoved || deleting || asked || approved || ordered);
  return { raiseFence, trigger, outbox: outboxOf(change, specMoved) };
}

function outboxOf({ resource, before, after }: Change, specMoved: boolean): readonly OutboxEntry[] {
  const object = after ?? before;
  if (object === null) return [];
  const entries: OutboxEntry[] = [];
  const created = before === null || after === null;
  if (placesChanged(resource.kind, before, after, specMoved))
    entries.push({ what: 'places', namespace: object.namespace === '' ? object.name : object.namespace });
  if (resource.kind === 'Cluster' || resource.kind === 'ClusterGrant' || resource.kind === 'ClusterAccount') entries.push(grantsOf(object));
  if (isWatchedContent(resource.kind, object) || created) {
    if (created || contentMoved(before, after))
      entries.push({ what: 'wake', kind: resource.kind, namespace: object.namespace, name: object.name, on: 'change' });
  }
  return entries;
}

function placesChanged(kind: string, before: StoredObject | null, after: StoredObject | null, specMoved: boolean): boolean {
  if (kind === 'Placement') return specMoved || before === null || after === null;
  if (kind === 'Namespace') return annotation(before, DEFAULT_CLUSTER) !== annotation(after, DEFAULT_CLUSTER);
  return false;
}

/** A ClusterGrant stands beside its Cluster and names it (default: its own name); a ClusterAccount names one as a Placement does. */
function grantsOf(object: StoredObject): OutboxEntry {
  const named = object.kind === 'Cluster' ? object.name : (textAt(object.body, 'spec', 'cluster') ?? object.name);
  return { what: 'grants', clusterNamespace: object.namespace, clusterName: named };
}

/** Flux wakes referrers of a Secret or ConfigMap only with this label (definitions.md 1.5); a created or deleted object always matters to who waits for it. */
function isWatchedContent(kind: string, object: StoredObject): boolean {
  return (kind === 'Secret' || kind === 'ConfigMap') && object.labels[WATCHED] === 'Enabled';
}

function contentMoved(before: StoredObject | null, after: StoredObject | null): boolean {
  const of = (object: StoredObject | null): Json => (object === null ? null : [object.body, [...object.sealedKeys], object.generation]);
  return canonicalJson(of(before)) !== canonicalJson(of(after)) || before?.resourceVersion !== after?.resourceVersion;
}

function annotation(object: StoredObject | null, key: string): string | undefined {
  return object?.annotations[key];
}

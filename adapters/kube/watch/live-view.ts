import { isNewer, metadataOnly } from '#adapters/kube/meta.ts';
import { getObject, type Target } from '#adapters/kube/objects.ts';
import type { ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import type { Budget, Held, Use } from '#adapters/kube/watch/budget.ts';
import { type HealthEntry, healthEntry, isDrift, type MetaEntry, metaEntry } from '#adapters/kube/watch/entries.ts';
import { startWatcher, type Watcher } from '#adapters/kube/watch/watcher.ts';
import type { JsonObject } from '#core/json.ts';
import type { Log } from '#core/log.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { LiveMeta, ObjectRef } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';

/** Something happened to an object of a delivery that makes it due. `type` is what the watch saw, after verification. */
export type Change = Readonly<{
  scope: TenantScope;
  clusterId: string;
  deliveryId: string;
  ref: ObjectRef;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
}>;

export type LiveViewOptions = Readonly<{
  /** Tells one cluster, tenant and account from any other. */
  key: string;
  clusterKey: string;
  clusterId: string;
  scope: TenantScope;
  session: Session;
  budget: Budget;
  clock: Clock;
  log: Log;
  silenceMs: number;
  onChange(change: Change): void;
}>;

/** The live objects of one tenant account on one cluster, as its watches show them. */
export type LiveView = Readonly<{
  /** The metadata watch of a kind in a namespace, started if need be; null beyond the budget. */
  metas(deliveryId: string, type: ResourceType, namespace: string): Watcher<MetaEntry> | null;
  /** The same for whole objects. `inProgress` keeps it open. */
  healths(deliveryId: string, type: ResourceType, namespace: string): Readonly<{ watcher: Watcher<HealthEntry>; use: Use }> | null;
  /** Metadata without a request: null when it is surely not labelled as ours, undefined when nothing is known. */
  known(target: Target): LiveMeta | null | undefined;
  /** Runs a write of ours; events that it causes are not told as changes. */
  writing<T>(target: Target, write: () => Promise<T>): Promise<T>;
  wrote(target: Target, object: JsonObject): void;
  /** The API server confirmed that it is gone. */
  gone(target: Target): void;
  /** The cluster is back: its watches need not wait for the end of their back-off. */
  retry(): void;
  /** Version of our last write to the object, if newer than what a watch may show. */
  lastWritten(target: Target): string | null;
}>;

type Pending = { writers: number; changed: Readonly<{ type: 'ADDED' | 'MODIFIED'; entry: MetaEntry }> | null; left: MetaEntry | null };

const maxWritten = 20_000;
const verifyAttempts = 4;

export function createLiveView(options: LiveViewOptions): LiveView {
  const { budget, clock, session } = options;
  const metaWatchers = new Map<string, Watcher<MetaEntry>>();
  const healthWatchers = new Map<string, Watcher<HealthEntry>>();
  const pending = new Map<string, Pending>();
  const written = new Map<string, string>();

  function tell(target: Target, deliveryId: string | null, type: Change['type']): void {
    if (deliveryId === null) return;
    options.onChange({ scope: options.scope, clusterId: options.clusterId, deliveryId, ref: refOf(target), type });
  }
  function onChanged(target: Target, type: 'ADDED' | 'MODIFIED', entry: MetaEntry, before: MetaEntry | null): void {
    const own = pending.get(keyOf(target));
    if (own !== undefined) {
      own.changed = { type, entry };
      return;
    }
    if (!isDrift(entry, before)) return;
    tell(target, entry.deliveryId, type);
    if (before !== null && before.deliveryId !== entry.deliveryId) tell(target, before.deliveryId, 'MODIFIED');
  }
  /** A removed label arrives as DELETED and still carries it: nothing is believed before the API server said 404 (design.md section 7). */
  async function verify(target: Target, entry: MetaEntry, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; attempt <= verifyAttempts; attempt += 1) {
      try {
        const object = await getObject(session, target, metadataOnly, signal);
        const watcher = metaWatchers.get(collectionKey(target.type, target.namespace));
        const now = object === null ? null : metaEntry(object);
        if (now === null) watcher?.forget(target.name);
        else watcher?.put(now);
        tell(target, entry.deliveryId, now === null ? 'DELETED' : 'MODIFIED');
        return;
      } catch (error) {
        if (signal.aborted) return;
        options.log.info({ attempt, error: String(error).slice(0, 200) }, 'a vanished object could not be verified');
      }
    }
    // Unknown is not gone: the delivery looks itself.
    tell(target, entry.deliveryId, 'MODIFIED');
  }
  function onLeft(target: Target, entry: MetaEntry): void {
    const own = pending.get(keyOf(target));
    if (own !== undefined) own.left = entry;
    else void verify(target, entry, AbortSignal.timeout(60_000));
  }

  function open<W extends Readonly<{ close(): void }>>(
    watchers: Map<string, W>,
    full: boolean,
    deliveryId: string,
    type: ResourceType,
    namespace: string,
    start: () => W,
  ): Readonly<{ watcher: W; use: Use }> | null {
    const key = collectionKey(type, namespace);
    const id = `${options.key}|${key}|${full ? 'full' : 'meta'}`;
    let watcher = watchers.get(key);
    let held = budget.get(id);
    if (watcher === undefined || held === undefined) {
      if (!budget.hasRoom(options.clusterKey)) return null;
      const started = start();
      watcher = started;
      watchers.set(key, started);
      const closable: Held = {
        id,
        clusterKey: options.clusterKey,
        full,
        uses: new Map(),
        close: () => {
          watchers.delete(key);
          started.close();
        },
      };
      held = closable;
      budget.add(closable);
    }
    const use = held.uses.get(deliveryId) ?? { neededAtMs: 0, inProgress: false };
    use.neededAtMs = clock.nowMs();
    held.uses.set(deliveryId, use);
    return { watcher, use };
  }
  function startMeta(type: ResourceType, namespace: string): Watcher<MetaEntry> {
    const at = (entry: MetaEntry): Target => ({ type, namespace, name: entry.name });
    return startWatcher<MetaEntry>({
      collection: { session, type, namespace, selector: DELIVERY_LABEL, full: false },
      clock,
      log: options.log,
      silenceMs: options.silenceMs,
      project: metaEntry,
      onChanged: (change, entry, before) => onChanged(at(entry), change, entry, before),
      onLeft: (entry) => onLeft(at(entry), entry),
    });
  }
  function startHealth(type: ResourceType, namespace: string, held: () => Held | undefined): Watcher<HealthEntry> {
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
    const wake = (entry: HealthEntry): void => {
      if (entry.deliveryId !== null && held()?.uses.get(entry.deliveryId)?.inProgress === true)
        tell({ type, namespace, name: entry.name }, entry.deliveryId, 'MODIFIED');
    };
    const watcher: Watcher<HealthEntry> = startWatcher<HealthEntry>({
      collection: { session, type, namespace, selector: DELIVERY_LABEL, full: true },
      clock,
      log: options.log,
      silenceMs: options.silenceMs,
      project: (object) => healthEntry(object, apiVersion, type.kind, clock.nowMs()),
      onChanged: (_change, entry, before) => {
        if (before?.verdict.is !== entry.verdict.is) wake(entry);
      },
      onLeft: (entry) => {
        watcher.forget(entry.name);
        wake(entry);
      },
    });
    return watcher;
  }

  return Object.freeze({
    metas: (deliveryId: string, type: ResourceType, namespace: string) =>
      open(metaWatchers, false, deliveryId, type, namespace, () => startMeta(type, namespace))?.watcher ?? null,
    healths(deliveryId: string, type: ResourceType, namespace: string) {
      const id = `${options.key}|${collectionKey(type, namespace)}|full`;
      return open(healthWatchers, true, deliveryId, type, namespace, () => startHealth(type, namespace, () => budget.get(id)));
    },
    known(target: Target): LiveMeta | null | undefined {
      const watcher = metaWatchers.get(collectionKey(target.type, target.namespace));
      if (watcher === undefined || !watcher.isSynced()) return undefined;
      const entry = watcher.get(target.name);
      if (entry === null) return null;
      // Out of the selection: the watch no longer tells what becomes of it.
      return entry.deliveryId === null ? undefined : entry.meta;
    },
    async writing<T>(target: Target, write: () => Promise<T>): Promise<T> {
      const key = keyOf(target);
      const own = pending.get(key) ?? { writers: 0, changed: null, left: null };
      own.writers += 1;
      pending.set(key, own);
      try {
        return await write();
      } finally {
        own.writers -= 1;
        if (own.writers === 0) {
          pending.delete(key);
          settle(target, own);
        }
      }
    },
    wrote(target: Target, object: JsonObject): void {
      const entry = metaEntry(object);
      if (entry === null) return;
      remember(keyOf(target), entry.resourceVersion);
      metaWatchers.get(collectionKey(target.type, target.namespace))?.put(entry);
    },
    gone(target: Target): void {
      metaWatchers.get(collectionKey(target.type, target.namespace))?.forget(target.name);
      written.delete(keyOf(target));
    },
    retry(): void {
      for (const watcher of [...metaWatchers.values(), ...healthWatchers.values()]) watcher.retry();
    },
    lastWritten: (target: Target) => written.get(keyOf(target)) ?? null,
  });

  /** After our own write: an event that is newer than its answer is somebody else's. */
  function settle(target: Target, own: Pending): void {
    const last = written.get(keyOf(target));
    const { changed, left } = own;
    if (changed !== null && (last === undefined || isNewer(changed.entry.resourceVersion, last)))
      tell(target, changed.entry.deliveryId, changed.type);
    const still = metaWatchers.get(collectionKey(target.type, target.namespace))?.get(target.name) ?? null;
    if (left !== null && still !== null && still.meta.uid === left.meta.uid) void verify(target, left, AbortSignal.timeout(60_000));
  }
  function remember(key: string, resourceVersion: string): void {
    written.delete(key);
    written.set(key, resourceVersion);
    const oldest = written.size > maxWritten ? written.keys().next().value : undefined;
    if (oldest !== undefined) written.delete(oldest);
  }
}

function collectionKey(type: ResourceType, namespace: string): string {
  return `${type.group}/${type.version}/${type.plural}/${namespace}`;
}

function keyOf(target: Target): string {
  return `${collectionKey(target.type, target.namespace)}/${target.name}`;
}

function refOf(target: Target): ObjectRef {
  const { group, version, kind } = target.type;
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, namespace: target.namespace, name: target.name };
}

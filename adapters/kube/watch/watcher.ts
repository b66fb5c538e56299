import { isNewer } from '#adapters/kube/meta.ts';
import { pause } from '#adapters/kube/pause.ts';
import {
  type Collection,
  listCollection,
  type WatchEvent,
  WatchExpired,
  WatchRefused,
  watchCollection,
} from '#adapters/kube/watch/collection.ts';
import { AppError } from '#core/errors.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import type { Log } from '#core/log.ts';
import type { Clock } from '#core/time.ts';

/** What is kept of one object. */
export type Entry = Readonly<{ name: string; resourceVersion: string; deliveryId: string | null }>;

export type WatcherOptions<E extends Entry> = Readonly<{
  collection: Collection;
  clock: Clock;
  log: Log;
  /** No byte for so long (bookmarks come every one or two minutes): the stream is dead. */
  silenceMs: number;
  /** What to keep of an object; null for something that is no object. */
  project(object: JsonObject): E | null;
  /** Called for what happens after the first list. `before` is null for a new object. */
  onChanged(type: 'ADDED' | 'MODIFIED', entry: E, before: E | null): void;
  /** The object left the selection: it was deleted, or lost the label. The entry is still there until `forget` or `put`. */
  onLeft(entry: E): void;
}>;

/** A list that is kept up to date by a watch: an informer for one collection. */
export type Watcher<E extends Entry> = Readonly<{
  /** Resolves when the list is complete. Rejects with WatchRefused, AppError clusterUnreachable, or the signal's reason. */
  ready(signal: AbortSignal): Promise<void>;
  isSynced(): boolean;
  get(name: string): E | null;
  entries(): Iterable<E>;
  /** An answer to our own write, if it is newer than what is known. */
  put(entry: E): void;
  forget(name: string): void;
  /** The cluster is back: what waits after a failure lists now. Nothing for a watcher that is synced, or that the cluster refused. */
  retry(): void;
  close(): void;
}>;

type State = Readonly<{ is: 'starting' }> | Readonly<{ is: 'synced' }> | Readonly<{ is: 'failed'; error: unknown }>;
type Waiter = Readonly<{ resolve(): void; reject(error: unknown): void }>;

const readyTimeoutMs = 20_000;
const firstBackoffMs = 200;
const maxBackoffMs = 30_000;
const refusedForMs = 300_000;

export function startWatcher<E extends Entry>(options: WatcherOptions<E>): Watcher<E> {
  const { clock } = options;
  const closing = new AbortController();
  const entries = new Map<string, E>();
  const waiting = new Set<Waiter>();
  let state: State = { is: 'starting' };
  let listedOnce = false;
  /** Ends the wait after a failure, while there is one. */
  let waking: AbortController | null = null;

  function settle(next: State): void {
    state = next;
    if (next.is === 'starting') return;
    for (const one of waiting) {
      if (next.is === 'synced') one.resolve();
      else one.reject(next.error);
    }
    waiting.clear();
  }
  function change(entry: E): void {
    const before = entries.get(entry.name) ?? null;
    // An older event than the answer to our own write.
    if (before !== null && !isNewer(entry.resourceVersion, before.resourceVersion)) return;
    entries.set(entry.name, entry);
    options.onChanged(before === null ? 'ADDED' : 'MODIFIED', entry, before);
  }
  function take(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') return;
    const entry = options.project(event.object);
    if (entry === null) return;
    if (event.type !== 'DELETED') change(entry);
    else if (entries.has(entry.name)) options.onLeft(entry);
  }
  /** A new list: what changed or vanished since the last one is told as if it had been watched. */
  async function list(): Promise<string> {
    const listed = await listCollection(options.collection, closing.signal);
    const found = new Set<string>();
    for (const object of listed.objects) {
      const entry = options.project(object);
      if (entry === null) continue;
      found.add(entry.name);
      if (listedOnce) change(entry);
      else entries.set(entry.name, entry);
    }
    if (listedOnce) for (const entry of [...entries.values()]) if (!found.has(entry.name)) options.onLeft(entry);
    listedOnce = true;
    return listed.resourceVersion;
  }
  async function follow(from: string): Promise<void> {
    let resourceVersion = from;
    for (;;) {
      settle({ is: 'synced' });
      const startedMs = clock.nowMs();
      const events = watchCollection(
        options.collection,
        resourceVersion,
        { silenceMs: options.silenceMs, spread: clock.random(), nowMs: () => clock.nowMs() },
        closing.signal,
      );
      for await (const event of events) {
        take(event);
        resourceVersion = event.resourceVersion;
      }
      closing.signal.throwIfAborted();
      // A server that ends each watch at once must not be asked in a loop.
      if (clock.nowMs() - startedMs < 1_000) throw new AppError('clusterUnreachable', 'a watch ended at once');
    }
  }
  async function run(): Promise<void> {
    let backoffMs = firstBackoffMs;
    while (!closing.signal.aborted) {
      const startedMs = clock.nowMs();
      try {
        await follow(await list());
      } catch (error) {
        if (closing.signal.aborted) return;
        if (clock.nowMs() - startedMs > 60_000) backoffMs = firstBackoffMs;
        if (error instanceof WatchRefused) {
          settle({ is: 'failed', error });
          await sleep(refusedForMs);
          continue;
        }
        const expired = error instanceof WatchExpired;
        settle(expired ? { is: 'starting' } : { is: 'failed', error });
        options.log.info(
          { kind: options.collection.type.kind, namespace: options.collection.namespace, error: String(error).slice(0, 200) },
          'a watch is listed anew',
        );
        backoffMs = (await wakeable(backoffMs * (0.5 + clock.random()))) ? firstBackoffMs : Math.min(maxBackoffMs, backoffMs * 2);
        if (!expired) settle({ is: 'starting' });
      }
    }
  }
  /** True when `retry` ended it. */
  async function wakeable(ms: number): Promise<boolean> {
    const woken = new AbortController();
    waking = woken;
    await pause(ms, AbortSignal.any([closing.signal, woken.signal])).catch((error: unknown) => {
      if (!closing.signal.aborted && !woken.signal.aborted) throw error;
    });
    waking = null;
    return woken.signal.aborted;
  }
  async function sleep(ms: number): Promise<void> {
    await pause(ms, closing.signal).catch((error: unknown) => {
      if (!closing.signal.aborted) throw error;
    });
  }
  run().catch((error: unknown) => {
    settle({ is: 'failed', error });
    options.log.error({ kind: options.collection.type.kind, error: String(error).slice(0, 500) }, 'a watch stopped by a bug');
  });

  return Object.freeze({
    ready(signal: AbortSignal): Promise<void> {
      if (state.is === 'synced') return Promise.resolve();
      if (state.is === 'failed') return Promise.reject(state.error);
      return waitFor(waiting, AbortSignal.any([signal, closing.signal, AbortSignal.timeout(readyTimeoutMs)]), signal);
    },
    isSynced: () => state.is === 'synced',
    get: (name: string) => entries.get(name) ?? null,
    entries: () => entries.values(),
    put(entry: E): void {
      const before = entries.get(entry.name);
      if (before === undefined || isNewer(entry.resourceVersion, before.resourceVersion)) entries.set(entry.name, entry);
    },
    forget: (name: string) => void entries.delete(name),
    retry(): void {
      if (waking === null) return;
      settle({ is: 'starting' });
      waking.abort(new Error('the cluster is back'));
    },
    close(): void {
      closing.abort(new Error('the watch is closed'));
      entries.clear();
    },
  });
}

function waitFor(waiting: Set<Waiter>, ends: AbortSignal, asker: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      waiting.delete(waiter);
      reject(asker.aborted ? asker.reason : new AppError('clusterUnreachable', 'the list of live objects is not complete in time'));
    };
    const waiter: Waiter = {
      resolve: () => {
        ends.removeEventListener('abort', giveUp);
        resolve();
      },
      reject: (error) => {
        ends.removeEventListener('abort', giveUp);
        reject(error);
      },
    };
    if (ends.aborted) {
      giveUp();
      return;
    }
    ends.addEventListener('abort', giveUp, { once: true });
    waiting.add(waiter);
  });
}

export function nameIn(object: JsonObject): string | null {
  return textAt(object, 'metadata', 'name') ?? null;
}

import { AppError } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import type { Waiter } from '#services/api/read/change-feed.ts';
import { readChanges } from '#services/api/read/changes.ts';
import type { WatchOptions } from '#services/api/read/list-options.ts';
import { type Page, readPageWhenReady } from '#services/api/read/page.ts';
import type { Reading } from '#services/api/read/reading.ts';
import type { Rights } from '#services/api/read/recheck.ts';
import type { WatchEvents } from '#services/api/read/watch-events.ts';
import type { Sink } from '#services/api/wire/call.ts';
import { failureOf } from '#services/api/wire/status.ts';

export type WatchSetup = Readonly<{
  deps: ApiDeps;
  reading: Reading;
  options: WatchOptions;
  events: WatchEvents;
  rights: () => Promise<Rights>;
  expiresAtMs: number;
}>;

/** A watch that ends in less than this without an event is an error to client-go. */
const minLifeMs = 1_100;

/** Writes events until the time, the token, the rights or the reader end. A change is sent once, in the order of versions. */
export async function runWatch(setup: WatchSetup, sink: Sink): Promise<void> {
  const { deps, events } = setup;
  const waiter = deps.changes.waiter();
  try {
    const start = await begin(setup, sink);
    if (start !== null) await follow(setup, sink, waiter, start);
  } catch (error) {
    const failure = failureOf(error, 'watch');
    if (failure.code === 500) deps.log.error({ error }, 'a watch failed by a bug of ours');
    await sink.write(events.error(failure.status));
  } finally {
    waiter.end();
  }
}

/** The version after which changes are sent; null when the reader is gone. */
async function begin({ deps, reading, options, events }: WatchSetup, sink: Sink): Promise<string | null> {
  if (options.after !== null) return options.after;
  const request = { limit: options.initial ? null : 1, after: null, version: null, notOlderThan: options.notOlderThan };
  const page: Page = await readPageWhenReady(deps, reading, request, sink.signal);
  if (!options.initial) return page.version;
  for (const { wire } of page.rows) if (!(await sink.write(events.object('ADDED', wire)))) return null;
  if (options.initialBookmark && !(await sink.write(events.bookmark(page.version, true)))) return null;
  return page.version;
}

async function follow(setup: WatchSetup, sink: Sink, waiter: Waiter, start: string): Promise<void> {
  const { deps, options, events } = setup;
  const { clock, limits } = deps;
  const endMs = endOf(setup);
  const state = { after: start, bookmarkMs: clock.nowMs() + limits.bookmarkMs, recheckMs: clock.nowMs() + limits.recheckMs };
  while (!sink.signal.aborted && !deps.closing.aborted) {
    const look = await sendChanges(setup, sink, state.after);
    if (look === null) return;
    state.after = look.upTo;
    const nowMs = clock.nowMs();
    if (nowMs >= endMs) break;
    if (nowMs >= state.recheckMs) {
      state.recheckMs = nowMs + limits.recheckMs;
      if (!(await stillAllowed(setup, sink))) return;
    }
    if (options.bookmarks && nowMs >= state.bookmarkMs) {
      state.bookmarkMs = nowMs + limits.bookmarkMs;
      if (!(await sink.write(events.bookmark(state.after, false)))) return;
    }
    if (look.more) continue;
    const pauseMs = Math.min(
      limits.watchPollMs,
      endMs - nowMs,
      state.recheckMs - nowMs,
      options.bookmarks ? state.bookmarkMs - nowMs : limits.watchPollMs,
    );
    await waiter.wait(Math.max(1, pauseMs), AbortSignal.any([sink.signal, deps.closing]));
  }
  if (options.bookmarks) await sink.write(events.bookmark(state.after, false));
}

type Progress = Readonly<{ upTo: string; more: boolean }>;

async function sendChanges({ deps, reading, events }: WatchSetup, sink: Sink, after: string): Promise<Progress | null> {
  const look = await readChanges(deps, reading, after);
  if (look === 'expired') {
    await sink.write(events.error(expired(`too old resource version: ${after}`)));
    return null;
  }
  for (const change of look.changes) if (!(await sink.write(events.object(change.type, change.wire)))) return null;
  // A version from the future stays: changes after it are waited for.
  return { upTo: look.changes.length === 0 && isBehind(look.upTo, after) ? after : look.upTo, more: look.more };
}

function isBehind(upTo: string, after: string): boolean {
  return upTo.length < after.length || (upTo.length === after.length && upTo < after);
}

async function stillAllowed({ rights, events }: WatchSetup, sink: Sink): Promise<boolean> {
  const now = await rights();
  if (now === 'same') return true;
  if (now === 'changed') await sink.write(events.error(expired('your rights have changed; list again')));
  return false;
}

function expired(message: string): JsonObject {
  return failureOf(new AppError('expired', message), '').status;
}

/** The planned end: the client's, or a random one, and never after the token's. */
function endOf({ deps, options, expiresAtMs }: WatchSetup): number {
  const { clock, limits } = deps;
  const nowMs = clock.nowMs();
  const spread = limits.watchMinMs + clock.random() * (limits.watchMaxMs - limits.watchMinMs);
  const planned = nowMs + Math.max(minLifeMs, options.timeoutMs ?? spread);
  return Math.min(planned, Math.max(expiresAtMs, nowMs));
}

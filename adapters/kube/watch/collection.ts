import { itemsOf, messageOf } from '#adapters/kube/answer.ts';
import { metadataList, metadataOnly } from '#adapters/kube/meta.ts';
import { collectionPath, type ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import { linesOf } from '#adapters/kube/watch/lines.ts';
import { AppError } from '#core/errors.ts';
import { at, isObject, type Json, type JsonObject, parseJson, textAt } from '#core/json.ts';

/** The objects of one kind in one namespace (all of the cluster for a cluster-scoped kind) that match a label selector. */
export type Collection = Readonly<{
  session: Session;
  type: ResourceType;
  namespace: string;
  selector: string /** Whole objects instead of metadata. */;
  full: boolean;
}>;

export type Listed = Readonly<{ objects: readonly JsonObject[]; resourceVersion: string }>;
export type WatchEvent = Readonly<{ type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: JsonObject; resourceVersion: string }>;

/** The server no longer has that version (410): list anew. */
export class WatchExpired extends Error {
  constructor() {
    super('the watch is older than what the server keeps');
    this.name = 'WatchExpired';
  }
}

/** The account may not list or watch this kind here, or the kind has no such verb: each object is asked for by itself. */
export class WatchRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WatchRefused';
  }
}

const pageSize = 500;
const maxPages = 40;
const maxListBytes = 32 * 1024 * 1024;
const listTimeoutMs = 30_000;
const headersTimeoutMs = 15_000;
const maxLineBytes = 4 * 1024 * 1024;
/** A server ends a watch after this long; a token that ends earlier ends it earlier. */
const longestWatchSeconds = 570;

/** Lists in pages, as the API server's own consistent read. Throws WatchRefused, WatchExpired, AppError clusterUnreachable, clusterAnswer, clusterRefused. */
export async function listCollection(collection: Collection, signal: AbortSignal): Promise<Listed> {
  const { session, type, namespace } = collection;
  if (!type.verbs.includes('list') || !type.verbs.includes('watch')) throw new WatchRefused(`${type.kind} can't be watched`);
  const objects: JsonObject[] = [];
  let next = '';
  for (let page = 1; page <= maxPages; page += 1) {
    const answer = await session.request({
      method: 'GET',
      path: collectionPath(type, namespace),
      query: { labelSelector: collection.selector, limit: String(pageSize), ...(next === '' ? {} : { continue: next }) },
      accept: collection.full ? 'application/json' : metadataList,
      timeoutMs: listTimeoutMs,
      maxBytes: maxListBytes,
      signal,
    });
    if (answer.status === 410) throw new WatchExpired();
    if (answer.status === 403 || answer.status === 404 || answer.status === 405)
      throw new WatchRefused(`${session.account} may not list ${type.plural}: ${messageOf(answer)}`);
    const items = answer.status === 200 ? itemsOf(answer) : null;
    if (items === null || answer.body === null)
      throw new AppError('clusterUnreachable', `cluster ${session.clusterName}: ${messageOf(answer)}`);
    objects.push(...items);
    next = textAt(answer.body, 'metadata', 'continue') ?? '';
    if (next === '') return { objects, resourceVersion: textAt(answer.body, 'metadata', 'resourceVersion') ?? '' };
  }
  throw new AppError(
    'clusterAnswer',
    `there are more than ${pageSize * maxPages} ${type.plural} of ours in one namespace, which is the limit`,
  );
}

/**
 * Events from a version on. Returns when the server ended the watch at the asked time: the last version can be gone on from. Throws WatchExpired,
 * WatchRefused, AppError, or what cut the stream.
 */
export async function* watchCollection(
  collection: Collection,
  resourceVersion: string,
  options: Readonly<{ silenceMs: number; spread: number; nowMs(): number }>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  const { session, type, namespace } = collection;
  // Each watch is asked for as long as it lasts, so that the server ends it before its token does; a fresh one comes with the next (threats F7).
  const seconds = Math.ceil(longestWatchSeconds * (0.6 + 0.4 * options.spread));
  const opened = await session.watch({
    path: collectionPath(type, namespace),
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: collection.selector,
      resourceVersion,
      timeoutSeconds: String(seconds),
    },
    accept: collection.full ? 'application/json' : metadataOnly,
    headersTimeoutMs,
    signal,
  });
  if (opened.status !== 200) {
    opened.body.destroy();
    if (opened.status === 410) throw new WatchExpired();
    if (opened.status === 403 || opened.status === 404 || opened.status === 405)
      throw new WatchRefused(`${session.account} may not watch ${type.plural} (${opened.status})`);
    throw new AppError(
      'clusterUnreachable',
      `cluster ${session.clusterName} opened no watch (${opened.status})`,
      opened.retryAfterMs === null ? {} : { retryAfterMs: opened.retryAfterMs },
    );
  }
  const endsInMs = Math.max(1_000, (opened.expiresAtMs ?? Number.POSITIVE_INFINITY) - options.nowMs() - 30_000);
  const ending = endsInMs < seconds * 1_000 ? setTimeout(() => opened.body.destroy(), endsInMs) : null;
  try {
    for await (const line of linesOf(opened.body, { silenceMs: options.silenceMs, maxLineBytes })) yield eventIn(line);
  } finally {
    if (ending !== null) clearTimeout(ending);
  }
}

function eventIn(line: string): WatchEvent {
  const event: Json = parseJson(line);
  const type = textAt(event, 'type');
  const object = at(event, 'object');
  if (type === 'ERROR') {
    if (at(object, 'code') === 410) throw new WatchExpired();
    throw new AppError('clusterUnreachable', `a watch ended: ${(textAt(object, 'message') ?? 'no reason').slice(0, 200)}`);
  }
  const resourceVersion = textAt(object, 'metadata', 'resourceVersion');
  if (
    (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK') ||
    !isObject(object) ||
    resourceVersion === undefined
  ) {
    throw new AppError('clusterAnswer', 'a watch sent something that is no event');
  }
  return { type, object, resourceVersion };
}

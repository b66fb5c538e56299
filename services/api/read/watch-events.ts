import { isObject, type JsonObject, stringifyJson } from '#core/json.ts';
import { apiVersionOf, type Resource } from '#core/resource.ts';
import { includeObject } from '#services/api/read/list-answer.ts';
import type { View } from '#services/api/wire/accept.ts';
import { metadataOnly } from '#services/api/wire/object.ts';
import type { Query } from '#services/api/wire/query.ts';
import { bookmarkTable, tableOf } from '#services/api/wire/table.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Lines of one watch in the form the client asked for. Only the first Table carries its columns. */
export type WatchEvents = Readonly<{
  object(type: EventType, wire: JsonObject): string;
  bookmark(version: string, isInitialEnd: boolean): string;
  error(status: JsonObject): string;
}>;

type Form = Readonly<{ resource: Resource; view: View; query: Query; nowMs: () => number }>;

export function watchEvents({ resource, view, query, nowMs }: Form): WatchEvents {
  const include = includeObject(query);
  const columns = { sent: false };
  const takeColumns = (): boolean => {
    const isFirst = !columns.sent;
    columns.sent = true;
    return isFirst;
  };
  function shown(wire: JsonObject): JsonObject {
    if (view.as === 'metadata') return metadataOnly(wire);
    if (view.as !== 'table') return wire;
    const version = isObject(wire.metadata) ? (wire.metadata.resourceVersion ?? '') : '';
    return tableOf({
      resource,
      items: [wire],
      metadata: { resourceVersion: version },
      include,
      nowMs: nowMs(),
      withColumns: takeColumns(),
    });
  }
  function shownBookmark(version: string, isInitialEnd: boolean): JsonObject {
    const annotations = isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata: JsonObject = { resourceVersion: version, ...annotations };
    if (view.as === 'metadata') return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    const bookmark: JsonObject = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    if (view.as !== 'table') return bookmark;
    return bookmarkTable(resource, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }, takeColumns());
  }
  return {
    object: (type, wire) => line(type, shown(wire)),
    bookmark: (version, isInitialEnd) => line('BOOKMARK', shownBookmark(version, isInitialEnd)),
    // A Status is never projected (kube-api.md T8).
    error: (status) => line('ERROR', status),
  };
}

function line(type: string, object: JsonObject): string {
  return `${stringifyJson({ type, object })}\n`;
}

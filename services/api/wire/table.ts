import { isObject, type Json, type JsonObject } from '#core/json.ts';
import type { Column, Resource } from '#core/resource.ts';
import { parseRfc3339 } from '#core/time.ts';
import { fillTemplate, findAll, scalarText } from '#services/api/wire/json-path.ts';
import { metadataOnly } from '#services/api/wire/object.ts';

export type IncludeObject = 'Metadata' | 'Object' | 'None';

const nameColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
};

/** Column definitions of a kind: the name, then its printer columns in order (kube-api.md 3.4). */
export function columnDefinitions(resource: Resource): readonly JsonObject[] {
  return [
    nameColumn,
    ...resource.columns.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.format === 'count' ? '' : (column.format ?? ''),
      description: column.description ?? '',
      priority: column.priority ?? 0,
    })),
  ];
}

type TableParts = Readonly<{
  resource: Resource;
  items: readonly JsonObject[];
  metadata: JsonObject;
  include: IncludeObject;
  nowMs: number /** Watches send columns only with their first event. */;
  withColumns?: boolean;
}>;

export function tableOf({ resource, items, metadata, include, nowMs, withColumns = true }: TableParts): JsonObject {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns ? columnDefinitions(resource) : null,
    rows: items.map((item) => rowOf(resource, item, include, nowMs)),
  };
}

function rowOf(resource: Resource, item: JsonObject, include: IncludeObject, nowMs: number): JsonObject {
  const cells: Json[] = [nameOf(item), ...resource.columns.map((column) => cellOf(column, item, nowMs))];
  if (include === 'None') return { cells };
  return { cells, object: include === 'Object' ? item : metadataOnly(item) };
}

/** A bookmark in a table watch: one row of empty cells whose object holds the version. */
export function bookmarkTable(resource: Resource, bookmark: JsonObject, withColumns: boolean): JsonObject {
  const cells: Json[] = ['', ...resource.columns.map(() => null)];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: isObject(bookmark.metadata) ? (bookmark.metadata.resourceVersion ?? '') : '' },
    columnDefinitions: withColumns ? columnDefinitions(resource) : null,
    rows: [{ cells, object: bookmark }],
  };
}

function nameOf(item: JsonObject): Json {
  return isObject(item.metadata) ? (item.metadata.name ?? '') : '';
}

function cellOf(column: Column, item: JsonObject, nowMs: number): Json {
  if (column.jsonPath.includes('{')) return fillTemplate(item, column.jsonPath);
  const found = findAll(item, column.jsonPath);
  const [first] = found;
  if (column.format === 'count') return isObject(first) ? Object.keys(first).length : 0;
  if (first === undefined || first === null) return null;
  switch (column.type) {
    case 'date':
      return typeof first === 'string' ? ageOf(first, nowMs) : null;
    case 'integer':
      return typeof first === 'number' || typeof first === 'bigint' ? first : null;
    case 'boolean':
      return typeof first === 'boolean' ? first : null;
    case 'string':
      return found.map(scalarText).join(',');
  }
}

function ageOf(time: string, nowMs: number): string {
  const atMs = parseRfc3339(time);
  return atMs === null ? '<invalid>' : shortAge(nowMs - atMs);
}

/** An age as kubectl writes it: two units while small, one when large (kubernetes/apimachinery pkg/util/duration). Pure. */
export function shortAge(ageMs: number): string {
  const seconds = Math.floor(ageMs / 1_000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return two(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return days < 2_920 ? two(years, 'y', days % 365, 'd') : `${years}y`;
}

function two(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
}

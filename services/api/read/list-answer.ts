import { AppError } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import { apiVersionOf, type Resource } from '#core/resource.ts';
import { contentTypeOf, type View } from '#services/api/wire/accept.ts';
import type { Answer, Headers } from '#services/api/wire/call.ts';
import { metadataOnly } from '#services/api/wire/object.ts';
import type { Query } from '#services/api/wire/query.ts';
import { type IncludeObject, tableOf } from '#services/api/wire/table.ts';

type ListParts = Readonly<{
  resource: Resource;
  view: View;
  query: Query;
  items: readonly JsonObject[];
  metadata: JsonObject;
  nowMs: number;
}>;

/** A list as the client asked to see it. */
export function listAnswer(parts: ListParts): Answer {
  const { view } = parts;
  return { is: 'json', status: 200, value: listValue(parts), contentType: contentTypeOf(view), format: view.format };
}

function listValue({ resource, view, query, items, metadata, nowMs }: ListParts): JsonObject {
  switch (view.as) {
    case 'table':
      return tableOf({ resource, items, metadata, include: includeObject(query), nowMs });
    case 'metadata':
      return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: items.map(metadataOnly) };
    default:
      return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items };
  }
}

type ObjectParts = Readonly<{
  resource: Resource;
  view: View;
  query: Query;
  wire: JsonObject;
  status?: number;
  nowMs: number;
  headers?: Headers;
}>;

/** One object as the client asked to see it. */
export function objectAnswer({ resource, view, query, wire, status = 200, nowMs, headers = {} }: ObjectParts): Answer {
  return {
    is: 'json',
    status,
    value: objectValue(resource, view, query, wire, nowMs),
    contentType: contentTypeOf(view),
    format: view.format,
    headers,
  };
}

function objectValue(resource: Resource, view: View, query: Query, wire: JsonObject, nowMs: number): JsonObject {
  if (view.as === 'metadata') return metadataOnly(wire);
  if (view.as !== 'table') return wire;
  return tableOf({ resource, items: [wire], metadata: { resourceVersion: versionIn(wire) }, include: includeObject(query), nowMs });
}

function versionIn(wire: JsonObject): string {
  const { metadata } = wire;
  const version = typeof metadata === 'object' && metadata !== null && 'resourceVersion' in metadata ? metadata.resourceVersion : '';
  return typeof version === 'string' ? version : '';
}

/** Throws AppError badRequest. */
export function includeObject(query: Query): IncludeObject {
  const asked = query.get('includeObject') ?? 'Metadata';
  if (asked === 'Metadata' || asked === 'Object' || asked === 'None' || asked === '') return asked === '' ? 'Metadata' : asked;
  throw new AppError(
    'badRequest',
    `includeObject: Unsupported value: ${JSON.stringify(asked.slice(0, 64))}: supported values: "Metadata", "None", "Object"`,
  );
}

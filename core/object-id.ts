import { isObject, type JsonObject, textAt } from './json.ts';
import type { ObjectRef } from './ports.ts';

/** Identity of an object in an inventory: Flux's `<namespace>_<name>_<group>_<kind>`; a `:` in a name (RBAC) is written `__`. */
export function objectId(ref: ObjectRef): string {
  const { group } = splitApiVersion(ref.apiVersion);
  return `${ref.namespace}_${ref.name.replaceAll(':', '__')}_${group}_${ref.kind}`;
}

/** The reference behind an inventory entry, or null when the id is not one of ours. */
export function refOfId(id: string, version: string): ObjectRef | null {
  const first = id.indexOf('_');
  const last = id.lastIndexOf('_');
  const beforeLast = id.lastIndexOf('_', last - 1);
  if (first < 0 || beforeLast <= first) return null;
  const group = id.slice(beforeLast + 1, last);
  return {
    namespace: id.slice(0, first),
    name: id.slice(first + 1, beforeLast).replaceAll('__', ':'),
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind: id.slice(last + 1),
  };
}

export function splitApiVersion(apiVersion: string): Readonly<{ group: string; version: string }> {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The reference of a manifest, with '' for a namespace it does not name. Null when apiVersion, kind or name is missing. */
export function refOfManifest(manifest: JsonObject): ObjectRef | null {
  const apiVersion = textAt(manifest, 'apiVersion');
  const kind = textAt(manifest, 'kind');
  const name = textAt(manifest, 'metadata', 'name');
  if (apiVersion === undefined || kind === undefined || name === undefined || name === '') return null;
  return { apiVersion, kind, name, namespace: textAt(manifest, 'metadata', 'namespace') ?? '' };
}

/** `Deployment/apps/web`, as Flux writes objects in messages. */
export function describeRef(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** A copy of a manifest with metadata fields merged in. */
export function withMetadata(
  manifest: JsonObject,
  change: Readonly<{ namespace?: string; labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> }>,
): JsonObject {
  const metadata = isObject(manifest['metadata']) ? manifest['metadata'] : {};
  const labels = { ...(isObject(metadata['labels']) ? metadata['labels'] : {}), ...(change.labels ?? {}) };
  const annotations = { ...(isObject(metadata['annotations']) ? metadata['annotations'] : {}), ...(change.annotations ?? {}) };
  return {
    ...manifest,
    metadata: {
      ...metadata,
      ...(change.namespace === undefined ? {} : { namespace: change.namespace }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  };
}

export const DELIVERY_LABEL = 'weir.dev/delivery';
export const FENCE_ANNOTATION = 'weir.dev/fence';

/** One kind as discovery shows it. */
export type ResourceType = Readonly<{
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Verbs of the API server for this kind, whoever asks. */
  verbs: readonly string[];
}>;

/** A path below the server's address. Made only by this file, so that no name of a tenant ends up outside its own segment. */
export type ApiPath = string & { readonly [apiPathBrand]: true };
declare const apiPathBrand: unique symbol;

/** Joins path segments. Throws when a segment is empty or would climb (`.`, `..`): such a name never was a Kubernetes name. Pure. */
export function apiPath(...segments: readonly string[]): ApiPath {
  return `/${segments.map(encodeSegment).join('/')}` as ApiPath;
}

function encodeSegment(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..') throw new Error('a path segment is empty or climbs');
  // encodeURIComponent leaves `.` and `-` alone, which Kubernetes names consist of, and encodes `/`, `?`, `#`, `%` and all control characters.
  return encodeURIComponent(segment);
}

/** Path of all objects of a kind, in one namespace, or in the whole cluster for a cluster-scoped kind. Pure. */
export function collectionPath(type: ResourceType, namespace: string): ApiPath {
  return apiPath(...typeSegments(type, namespace), type.plural);
}

/** Path of one object. Pure. */
export function objectPath(type: ResourceType, namespace: string, name: string): ApiPath {
  return apiPath(...typeSegments(type, namespace), type.plural, name);
}

function typeSegments(type: ResourceType, namespace: string): readonly string[] {
  const root = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  if (!type.namespaced) return root;
  return [...root, 'namespaces', namespace];
}

/** Group and version of an apiVersion: `v1` is the core group. Pure. */
export function splitApiVersion(apiVersion: string): Readonly<{ group: string; version: string }> {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

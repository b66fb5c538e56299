import type { JsonObject } from '#core/json.ts';
import { apiVersionOf, type Resource, type Subresource } from '#core/resource.ts';

/** A resource that only discovery and the permission of a special path know, such as a review kind. */
export type Virtual = Readonly<{
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  scope: 'Namespaced' | 'Cluster';
  verbs: readonly string[];
}>;

/** What is served, the same for everyone (kube-api.md 3.2). */
export type Served = Readonly<{ resources: readonly Resource[]; virtual: readonly Virtual[] }>;

type Listed = Pick<Resource, 'group' | 'version' | 'kind' | 'plural' | 'singular' | 'scope'> &
  Readonly<{
    verbs: readonly string[];
    shortNames: readonly string[];
    categories: readonly string[];
    subresources: readonly Subresource[];
  }>;

function allListed({ resources, virtual }: Served): readonly Listed[] {
  return [...resources, ...virtual.map((one) => ({ ...one, shortNames: [], categories: [], subresources: [] }))];
}

/** Group names with their versions, in the order of first appearance; the core group is left out. */
export function groupsOf(served: Served): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const { group, version } of allListed(served)) {
    const versions = groups.get(group) ?? [];
    if (group !== '' && !versions.includes(version)) groups.set(group, [...versions, version]);
  }
  return groups;
}

/** `APIGroupDiscoveryList` of the core group (for `/api`) or of all others (for `/apis`). */
export function aggregatedDiscovery(served: Served, part: 'core' | 'groups'): JsonObject {
  const names = part === 'core' ? [''] : [...groupsOf(served).keys()];
  const items = names.map((group) => ({
    metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
    versions: versionsOf(served, group).map((version) => ({
      version,
      freshness: 'Current',
      resources: allListed(served)
        .filter((one) => one.group === group && one.version === version)
        .map(aggregatedResource),
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function versionsOf(served: Served, group: string): readonly string[] {
  return group === '' ? ['v1'] : (groupsOf(served).get(group) ?? []);
}

function aggregatedResource(one: Listed): JsonObject {
  return {
    resource: one.plural,
    responseKind: { group: one.group, version: one.version, kind: one.kind },
    scope: one.scope,
    singularResource: one.singular,
    verbs: [...one.verbs],
    ...(one.shortNames.length === 0 ? {} : { shortNames: [...one.shortNames] }),
    ...(one.categories.length === 0 ? {} : { categories: [...one.categories] }),
    ...(one.subresources.length === 0 ? {} : { subresources: one.subresources.map((sub) => aggregatedSubresource(one, sub)) }),
  };
}

function aggregatedSubresource(one: Listed, sub: Subresource): JsonObject {
  return {
    subresource: sub.name,
    responseKind: { group: sub.group ?? one.group, version: sub.version ?? one.version, kind: sub.kind },
    verbs: [...sub.verbs],
  };
}

/** Legacy `APIVersions`, for `/api`. */
export function apiVersions(host: string): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: host }] };
}

/** Legacy `APIGroupList`, for `/apis`. */
export function apiGroupList(served: Served): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: [...groupsOf(served).keys()].map((group) => groupBody(served, group)) };
}

/** Legacy `APIGroup`, for `/apis/<group>`. */
export function apiGroup(served: Served, group: string): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(served, group) };
}

function groupBody(served: Served, group: string): JsonObject {
  const versions = versionsOf(served, group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  // It must equal an entry of `versions`, or the Python client refuses the group.
  return { name: group, versions, preferredVersion: versions[0] ?? {} };
}

/** Legacy `APIResourceList`, for `/api/v1` and `/apis/<group>/<version>`. */
export function apiResourceList(served: Served, group: string, version: string): JsonObject {
  const listed = allListed(served).filter((one) => one.group === group && one.version === version);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: listed.flatMap(legacyEntries),
  };
}

function legacyEntries(one: Listed): readonly JsonObject[] {
  const namespaced = one.scope === 'Namespaced';
  const own: JsonObject = {
    name: one.plural,
    singularName: one.singular,
    namespaced,
    kind: one.kind,
    verbs: [...one.verbs],
    ...(one.shortNames.length === 0 ? {} : { shortNames: [...one.shortNames] }),
    ...(one.categories.length === 0 ? {} : { categories: [...one.categories] }),
  };
  const below = one.subresources.map((sub) => ({
    name: `${one.plural}/${sub.name}`,
    singularName: '',
    namespaced,
    kind: sub.kind,
    verbs: [...sub.verbs],
    ...(sub.group === undefined ? {} : { group: sub.group }),
    ...(sub.version === undefined ? {} : { version: sub.version }),
  }));
  return [own, ...below];
}

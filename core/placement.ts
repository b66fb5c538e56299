import { DEFAULT_CLUSTER } from './consequences.ts';
import { at, type Json, textAt } from './json.ts';
import type { ClusterAccess, StoredObject } from './store.ts';
import { PLATFORM_NAMESPACE } from './tenant.ts';

type Place = Readonly<{ clusterId: string; clusterNamespace: string; clusterName: string }>;
type Known = Readonly<{
  definition: Pick<StoredObject, 'kind' | 'name' | 'namespace' | 'labels'>;
  /** Placements of the definition's namespace. */
  placements: readonly Pick<StoredObject, 'name' | 'body'>[];
  /** All clusters that the tenant was granted. */
  access: readonly ClusterAccess[];
  /** Annotation weir.dev/default-cluster of the namespace, if there is one. */
  defaultCluster: string | null;
}>;

/**
 * Where a definition runs: the union of the Placements that select it, within the tenant's clusters; else the namespace's default cluster; else nowhere,
 * with a hint that says what to write (design.md section 5). Sorted by namespace and name. Pure.
 */
export function choosePlaces(known: Known): Readonly<{ places: readonly Place[]; hint: string }> {
  const { definition, access, defaultCluster } = known;
  const selecting = known.placements.filter((one) => selectsDefinition(one, definition));
  if (selecting.length > 0) {
    const places = sorted(access.filter((cluster) => selecting.some((one) => selectsCluster(one, cluster, access, definition.namespace))));
    const names = selecting.map((one) => `"${one.name}"`).join(', ');
    return {
      places,
      hint:
        places.length > 0
          ? ''
          : `no cluster that this tenant may use matches spec.clusters of Placement ${names}: write one of ${listOf(access)} there, or ask for a grant`,
    };
  }
  if (defaultCluster !== null) {
    const found = clusterNamed(defaultCluster, access, definition.namespace);
    if (found !== null) return { places: [placeOf(found)], hint: '' };
    return {
      places: [],
      hint: `annotation ${DEFAULT_CLUSTER} of Namespace "${definition.namespace}" names "${defaultCluster}", which this tenant may not use: write one of ${listOf(access)}, or ask for a grant`,
    };
  }
  return {
    places: [],
    hint:
      `no cluster is chosen for ${definition.kind} "${definition.name}": write a Placement in namespace "${definition.namespace}" whose spec.definitions selects it, ` +
      `or set the annotation ${DEFAULT_CLUSTER} of Namespace "${definition.namespace}" to one of ${listOf(access)}`,
  };
}

/** A definition is selected when it matches every part of spec.definitions that is given: kinds, names, selector.matchLabels. Pure. */
export function selectsDefinition(
  placement: Pick<StoredObject, 'body'>,
  definition: Pick<StoredObject, 'kind' | 'name' | 'labels'>,
): boolean {
  const wanted = at(placement.body, 'spec', 'definitions');
  const kinds = textsAt(wanted, 'kinds');
  const names = textsAt(wanted, 'names');
  if (kinds.length > 0 && !kinds.includes(definition.kind)) return false;
  if (at(wanted, 'names') !== undefined && !names.includes(definition.name)) return false;
  return matches(at(wanted, 'selector'), definition.labels);
}

/** As for definitions, but a Placement that gives neither names nor a selector chooses no cluster: running everywhere is said, not fallen into. Pure. */
export function selectsCluster(
  placement: Pick<StoredObject, 'body'>,
  cluster: ClusterAccess,
  access: readonly ClusterAccess[],
  namespace: string,
): boolean {
  const wanted = at(placement.body, 'spec', 'clusters');
  const named = at(wanted, 'names') !== undefined;
  if (!named && at(wanted, 'selector') === undefined) return false;
  if (named && !textsAt(wanted, 'names').some((name) => clusterNamed(name, access, namespace)?.clusterId === cluster.clusterId))
    return false;
  return matches(at(wanted, 'selector'), cluster.labels);
}

/** `name` means the own namespace first, then weir-system; `namespace/name` is exact. Null when the tenant may use no such cluster. Pure. */
export function clusterNamed(name: string, access: readonly ClusterAccess[], namespace: string): ClusterAccess | null {
  const [first = '', second, ...rest] = name.split('/');
  if (rest.length > 0) return null;
  const places =
    second === undefined
      ? [namespace, PLATFORM_NAMESPACE].map((one) => ({ namespace: one, name: first }))
      : [{ namespace: first, name: second }];
  for (const place of places) {
    const found = access.find((one) => one.clusterNamespace === place.namespace && one.clusterName === place.name);
    if (found !== undefined) return found;
  }
  return null;
}

function matches(selector: Json | undefined, labels: Readonly<Record<string, string>>): boolean {
  const wanted = at(selector, 'matchLabels');
  if (typeof wanted !== 'object' || wanted === null) return true;
  return Object.keys(wanted).every((key) => labels[key] !== undefined && labels[key] === textAt(wanted, key));
}

function textsAt(value: Json | undefined, key: string): readonly string[] {
  const found = at(value, key);
  return Array.isArray(found) ? found.filter((one: Json) => typeof one === 'string') : [];
}

function placeOf(cluster: ClusterAccess): Place {
  return { clusterId: cluster.clusterId, clusterNamespace: cluster.clusterNamespace, clusterName: cluster.clusterName };
}

function sorted(clusters: readonly ClusterAccess[]): readonly Place[] {
  const key = (one: ClusterAccess): string => `${one.clusterNamespace}/${one.clusterName}`;
  return clusters.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).map(placeOf);
}

const shownClusters = 5;

function listOf(access: readonly ClusterAccess[]): string {
  if (access.length === 0) return 'its clusters (none is granted to this tenant yet)';
  const names = access.slice(0, shownClusters).map((one) => `"${one.clusterNamespace}/${one.clusterName}"`);
  return `${names.join(', ')}${access.length > shownClusters ? `, … (${access.length} in all)` : ''}`;
}

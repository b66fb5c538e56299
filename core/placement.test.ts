import { describe, expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { choosePlaces, clusterNamed } from './placement.ts';
import type { ClusterAccess } from './store.ts';

function cluster(path: string, labels: Record<string, string> = {}): ClusterAccess {
  const [clusterNamespace = '', clusterName = ''] = path.split('/');
  const serviceAccount = { namespace: 'weir-system', name: 'tenant-a' };
  const rest = {
    ownerTenantId: 'o',
    server: 'https://x',
    caBundle: '',
    variables: {},
    paused: false,
    concurrency: 16,
    namespaces: ['a'],
    serviceAccount,
    accounts: [],
  };
  return { clusterId: `id of ${path}`, clusterNamespace, clusterName, labels, ...rest };
}

const access = [
  cluster('weir-system/prod-2', { env: 'prod' }),
  cluster('weir-system/prod-1', { env: 'prod', region: 'eu' }),
  cluster('weir-system/test', { env: 'test' }),
  cluster('team-a/prod-1', {}),
];
const definition = { kind: 'Kustomization', name: 'apps', namespace: 'team-a', labels: { tier: 'app' } };

function placement(definitions: JsonObject, clusters: JsonObject, name = 'p') {
  return { name, body: { spec: { definitions, clusters } } };
}

function chosen(...placements: ReturnType<typeof placement>[]) {
  return choosePlaces({ definition, placements, access, defaultCluster: null }).places.map(
    (one) => `${one.clusterNamespace}/${one.clusterName}`,
  );
}

const prod = { selector: { matchLabels: { env: 'prod' } } };

describe('places of a definition', () => {
  test.each<[string, JsonObject, boolean]>([
    ['nothing given', {}, true],
    ['its kind', { kinds: ['HelmRelease', 'Kustomization'] }, true],
    ['an empty list of kinds', { kinds: [] }, true],
    ['another kind', { kinds: ['HelmRelease'] }, false],
    ['its name', { names: ['x', 'apps'] }, true],
    ['another name', { names: ['x'] }, false],
    ['an empty list of names', { names: [] }, false],
    ['its labels', { selector: { matchLabels: { tier: 'app' } } }, true],
    ['labels it lacks', { selector: { matchLabels: { tier: 'app', more: 'x' } } }, false],
    ['an empty selector', { selector: { matchLabels: {} } }, true],
    ['its name, but other labels', { names: ['apps'], selector: { matchLabels: { tier: 'db' } } }, false],
  ])('definitions with %s', (_name, definitions, selects) => {
    expect(chosen(placement(definitions, prod))).toEqual(selects ? ['weir-system/prod-1', 'weir-system/prod-2'] : []);
  });

  test.each<[string, JsonObject, readonly string[]]>([
    ['nothing given: none, not all', {}, []],
    ['a selector', prod, ['weir-system/prod-1', 'weir-system/prod-2']],
    [
      'an empty selector: all',
      { selector: { matchLabels: {} } },
      ['team-a/prod-1', 'weir-system/prod-1', 'weir-system/prod-2', 'weir-system/test'],
    ],
    ['a name: the own namespace first', { names: ['prod-1'] }, ['team-a/prod-1']],
    ['a name: then weir-system', { names: ['test'] }, ['weir-system/test']],
    ['an exact name', { names: ['weir-system/prod-1'] }, ['weir-system/prod-1']],
    ['a cluster that was not granted', { names: ['weir-system/secret', 'other/test'] }, []],
    ['names and selector: both must hold', { names: ['test', 'weir-system/prod-1'], ...prod }, ['weir-system/prod-1']],
  ])('clusters with %s', (_name, clusters, places) => {
    expect(chosen(placement({}, clusters))).toEqual(places);
  });

  test('several Placements are united', () => {
    expect(
      chosen(placement({}, { names: ['test'] }), placement({ names: ['apps'] }, prod), placement({ names: ['x'] }, { names: ['prod-1'] })),
    ).toEqual(['weir-system/prod-1', 'weir-system/prod-2', 'weir-system/test']);
  });

  test('without a Placement the default cluster of the namespace is taken, else the hint says what to write', () => {
    const choose = (defaultCluster: string | null) =>
      choosePlaces({ definition, placements: [placement({ names: ['x'] }, prod)], access, defaultCluster });
    expect(choose('test').places).toEqual([{ clusterId: 'id of weir-system/test', clusterNamespace: 'weir-system', clusterName: 'test' }]);
    const nowhere = choose(null);
    expect(nowhere.places).toEqual([]);
    expect(nowhere.hint).toContain('write a Placement in namespace "team-a" whose spec.definitions selects it');
    expect(nowhere.hint).toContain('weir.dev/default-cluster');
    expect(choose('nope').hint).toContain('names "nope", which this tenant may not use');
  });

  test('a Placement that selects the definition wins over the default cluster, even when it finds no cluster', () => {
    const { places, hint } = choosePlaces({
      definition,
      placements: [placement({}, { names: ['nope'] }, 'apps')],
      access: [],
      defaultCluster: 'test',
    });
    expect(places).toEqual([]);
    expect(hint).toBe(
      'no cluster that this tenant may use matches spec.clusters of Placement "apps": write one of its clusters (none is granted to this tenant yet) there, or ask for a grant',
    );
  });

  test('a name with two slashes is nobody', () => {
    expect(clusterNamed('a/b/c', access, 'team-a')).toBeNull();
  });
});

import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { at, isObject, type JsonObject } from '#core/json.ts';
import { callPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { type ClusterAdmin, callCluster } from '#deploy/local/cluster-api.ts';
import type { GitServer } from '#deploy/local/git-server.ts';
import { make, openGit, pathOf, settled, source, type Told, toldBy } from '#tests/attacks/two-tenants.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { attackPlane } from '#tests/harness/parts.ts';

/** Charts of an attacker in one repository of team-a, and releases of them on the cluster `east`. */
export type HostileCharts = Readonly<{
  plane(): SharedAttackPlane;
  alice(): PlaneUser;
  /** A HelmRelease of the chart in folder `chart`, named after it; what its Ready condition comes to say. */
  released(chart: string, spec?: JsonObject, name?: string): Promise<Told>;
  /** Changes a release; settles when its message holds `words`. */
  changed(name: string, spec: JsonObject, words: string): Promise<Told>;
  onCluster(method: string, path: string, body?: JsonObject): Promise<Readonly<{ status: number; body: JsonObject }>>;
  /** `data` of the ConfigMap named as the release; null when there is none. */
  dataOf(name: string, namespace?: string): Promise<JsonObject | null>;
}>;

export const NAMED = 'metadata: {name: {{ .Release.Name }}}\n';
export const MAP = `apiVersion: v1\nkind: ConfigMap\n${NAMED}`;

const WAITING = new Set(['SourceNotReady', 'Progressing']);

/** What the release comes to say, or its HelmChart, when that is what keeps it waiting. */
async function decided(user: PlaneUser, name: string): Promise<Told> {
  const read = async (kind: string, of: string) => toldBy((await callPlane(user, 'GET', pathOf(kind, 'team-a', of))).body);
  return until(
    `HelmRelease ${name} decided`,
    60_000,
    100,
    async () => {
      const told = await read('HelmRelease', name);
      if (told === null || told.status === 'Unknown') return null;
      if (!WAITING.has(told.reason)) return told;
      const chart = await read('HelmChart', `team-a-${name}`);
      return chart?.status === 'False' && !WAITING.has(chart.reason) ? chart : null;
    },
    async () => JSON.stringify([await read('HelmRelease', name), await read('HelmChart', `team-a-${name}`)]),
  );
}

/** `charts` is read when the file's set-up runs: folder to files below it; Chart.yaml is made. */
export function useHostileCharts(
  repository: string,
  charts: () => Readonly<Record<string, Readonly<Record<string, string>>>>,
): HostileCharts {
  const children = useChildren('file');
  const folder = useTemporaryDir('file');
  const made: string[] = [];
  const state: { plane: SharedAttackPlane | null; git: GitServer | null } = { plane: null, git: null };
  const plane = (): SharedAttackPlane => {
    if (state.plane === null) throw new Error('the plane is not there yet');
    return state.plane;
  };
  const alice = (): PlaneUser => plane().people.alice;
  const admin = (): ClusterAdmin => {
    const [east] = plane().clusters;
    if (east === undefined) throw new Error('the attack plane has clusters');
    return east.admin;
  };
  const onCluster = async (method: string, path: string, body?: JsonObject) => {
    const answer = await callCluster(admin(), {
      method,
      path,
      ...(body === undefined ? {} : { body, contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
    });
    return { status: answer.status, body: isObject(answer.body) ? (answer.body as JsonObject) : {} };
  };
  beforeAll(async () => {
    state.plane = await attackPlane();
    const git = await openGit(state.plane, children, join(folder(), 'git'));
    state.git = git;
    const files = Object.entries(charts()).flatMap(([chart, parts]) =>
      Object.entries({ 'Chart.yaml': `apiVersion: v2\nname: ${chart}\nversion: 1.0.0\n`, ...parts }).map(
        ([name, text]) => [`c/${chart}/${name}`, text] as const,
      ),
    );
    await git.createRepository(repository, { access: { readers: 'everybody', credentials: [] }, files: Object.fromEntries(files) });
    await source(alice(), 'team-a', git, repository);
  });
  afterAll(async () => {
    for (const name of made) await callPlane(alice(), 'DELETE', pathOf('HelmRelease', 'team-a', name));
    for (const name of made)
      await until(
        `${name} gone`,
        30_000,
        100,
        async () => ((await callPlane(alice(), 'GET', pathOf('HelmRelease', 'team-a', name))).status === 404 ? true : null),
        async () => JSON.stringify((await callPlane(alice(), 'GET', pathOf('HelmRelease', 'team-a', name))).body).slice(0, 2_000),
      );
    for (const name of made) await callPlane(alice(), 'DELETE', pathOf('Placement', 'team-a', name));
    for (const [kind, name] of [['GitRepository', repository] as const, ['Secret', `${repository}-ca`] as const])
      await callPlane(alice(), 'DELETE', pathOf(kind, 'team-a', name));
    await state.git?.stop();
  });
  const placed = async (name: string) =>
    make(alice(), 'Placement', 'team-a', name, {
      spec: { definitions: { kinds: ['HelmRelease'], names: [name] }, clusters: { names: ['east'] } },
    });
  return Object.freeze({
    plane,
    alice,
    released: async (chart: string, spec: JsonObject = {}, name = `${repository}-${chart}`) => {
      await placed(name);
      made.push(name);
      const of = { spec: { chart: `c/${chart}`, sourceRef: { kind: 'GitRepository', name: repository }, interval: '10m' } };
      await make(alice(), 'HelmRelease', 'team-a', name, {
        spec: {
          ...('chart' in spec || 'chartRef' in spec ? {} : { chart: of }),
          interval: '10m',
          timeout: '20s',
          releaseName: name,
          ...spec,
        },
      });
      return decided(alice(), name);
    },
    changed: async (name: string, spec: JsonObject, words: string) => {
      const path = pathOf('HelmRelease', 'team-a', name);
      const answer = await callPlane(alice(), 'PATCH', path, { spec }, 'application/merge-patch+json');
      if (answer.status !== 200) throw new Error(`PATCH ${path}: ${answer.status}`);
      return settled(alice(), 'HelmRelease', 'team-a', name, words);
    },
    onCluster,
    dataOf: async (name: string, namespace = 'team-a') => {
      const { status, body } = await onCluster('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
      const data = at(body, 'data');
      return status === 200 && isObject(data) ? data : null;
    },
  });
}

/** A refused install without retries left: the first pass says why it failed, the next that no retry is left. */
export const INSTALL_FAILED: unknown = expect.stringMatching(/^(InstallFailed|RetriesExceeded)$/);

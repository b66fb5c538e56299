import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { at, isObject, type Json, type JsonObject, parseJson, textAt } from '#core/json.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { type App, useApp } from '#tests/kustomization/app.ts';

const run = promisify(execFile);
const READY_MS = 60_000;

/** A test's own chart in the shared demo's repository, and releases of it on the demo's clusters. */
export type Releases = Readonly<{
  app: App;
  /** Commits a chart: files below its folder, with a Chart.yaml of this version. */
  chart(version: string, templates: Readonly<Record<string, string>>, more?: Readonly<Record<string, string | null>>): Promise<void>;
  /** Creates a HelmRelease of the chart; `name` is put behind the id. */
  release(name: string, spec?: JsonObject): Promise<string>;
  ready(name: string, status: 'True' | 'False' | 'Unknown', reason?: string, timeoutMs?: number): Promise<string>;
  status(name: string): Promise<JsonObject>;
  condition(name: string, type: string): Promise<JsonObject | null>;
  /** The real helm with the administrator's kubeconfig, beside Weir. */
  helm(cluster: string, ...args: readonly string[]): Promise<string>;
  history(cluster: string, release: string): Promise<readonly string[]>;
}>;

export function useReleases(prefix: string): Releases {
  const app = useApp(prefix);
  const helm = async (cluster: string, ...args: readonly string[]): Promise<string> => {
    const { helm: program } = await loadToolPaths({ only: ['helm'] });
    const kubeconfig = app.demo().workloadClusters.find((one) => one.name === cluster)?.kubeconfig ?? '';
    return (await run(program, [...args, '--namespace', 'apps-a', '--kubeconfig', kubeconfig])).stdout;
  };
  const status = async (name: string): Promise<JsonObject> => {
    const found = at((await app.get('HelmRelease', name)).body, 'status');
    return isObject(found) ? found : {};
  };
  return Object.freeze({
    app,
    chart: (version, templates, more = {}) =>
      app.pushed({
        'chart/Chart.yaml': `apiVersion: v2\nname: ${app.id}\nversion: ${version}\n`,
        'chart/values.yaml': 'colour: red\n',
        ...Object.fromEntries(Object.entries(templates).map(([name, text]) => [`chart/templates/${name}`, text])),
        ...more,
      }),
    release: async (name, spec = {}) => {
      const full = `${app.id}-${name}`;
      const chart = { spec: { chart: `${app.path}/chart`, sourceRef: { kind: 'GitRepository', name: 'podinfo' }, interval: '10m' } };
      const base = { ...('chartRef' in spec ? {} : { chart }), interval: '10m', timeout: '20s', releaseName: full };
      await app.create({
        apiVersion: 'helm.toolkit.fluxcd.io/v2',
        kind: 'HelmRelease',
        metadata: { name: full, namespace: 'team-a' },
        spec: { ...base, ...spec },
      });
      return full;
    },
    ready: (name, wanted, reason, timeoutMs = READY_MS) => app.ready(name, wanted, reason, timeoutMs, 'HelmRelease'),
    status,
    condition: async (name, type) => {
      const conditions = at(await status(name), 'conditions');
      const found = (Array.isArray(conditions) ? conditions : []).find((one) => isObject(one) && one['type'] === type);
      return isObject(found) ? found : null;
    },
    helm,
    history: async (cluster, release) => {
      const records = parseJson(await helm(cluster, 'history', release, '--output', 'json'));
      return (Array.isArray(records) ? records : []).map(
        (one: Json) => `${JSON.stringify(at(one, 'revision'))} ${textAt(one, 'status') ?? ''} ${textAt(one, 'chart') ?? ''}`,
      );
    },
  });
}

/** A ConfigMap named like the release, with one value. */
export const COLOURED = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  colour: {{ .Values.colour | quote }}
`;

import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConditions } from '#core/conditions.ts';
import { at, isObject, textAt } from '#core/json.ts';
import { callPlane, collectionPath } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { type FaultStage, faultTenant, startFaultStage } from '#tests/harness/fault-stage.ts';
import { annotate } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** reliability.md fault 17 for a release: the API server goes away while helm upgrades; a condition says so, and when it is back the release goes on by itself. */

const HELM = 'helm.toolkit.fluxcd.io/v2';
const NAME = 'web';
const dir = useTemporaryDir('file');
const children = useChildren('file');
const held: { stage: FaultStage } = {} as never;

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {colour: {{ .Values.colour | quote }}}\n';
/** Nothing runs Jobs on this cluster: helm waits for it until its time is up. */
const HOOK = `apiVersion: batch/v1
kind: Job
metadata: {name: web-hook, annotations: {helm.sh/hook: pre-upgrade}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: example.invalid/a}]}}}
`;
const chartYaml = (version: string): string => `apiVersion: v2\nname: web\nversion: ${version}\n`;

beforeAll(async () => {
  const { namespace, clusterNamespace, repository } = faultTenant;
  held.stage = await startFaultStage(children, {
    dir: dir(),
    files: {
      'kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [own.yaml]\n',
      'own.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n',
      'chart/Chart.yaml': chartYaml('1.0.0'),
      'chart/values.yaml': 'colour: red\n',
      'chart/templates/map.yaml': MAP,
    },
    stores: 'embedded',
    definitions: [
      {
        apiVersion: 'weir.dev/v1',
        kind: 'Placement',
        metadata: { name: NAME, namespace },
        spec: { definitions: { kinds: ['HelmRelease'], names: [NAME] }, clusters: { names: ['east'] } },
      },
      {
        apiVersion: HELM,
        kind: 'HelmRelease',
        metadata: { name: NAME, namespace },
        spec: {
          chart: { spec: { chart: './chart', sourceRef: { kind: 'GitRepository', name: repository }, interval: '10m' } },
          interval: '10m',
          timeout: '20s',
          releaseName: NAME,
          targetNamespace: clusterNamespace,
          upgrade: { remediation: { retries: 3 } },
        },
      },
    ],
  });
}, 120_000);
afterAll(() => held.stage.stop());

async function commit(files: Readonly<Record<string, string | null>>): Promise<void> {
  const { stage } = held;
  const revision = await stage.git.commitFiles(faultTenant.repository, 'main', files);
  const source = 'source.toolkit.fluxcd.io/v1';
  await annotate(stage, source, 'GitRepository', faultTenant.repository, { 'reconcile.fluxcd.io/requestedAt': revision });
}

const release = async () =>
  (await callPlane(held.stage.alice(), 'GET', `${collectionPath(HELM, 'HelmRelease', faultTenant.namespace)}/${NAME}`)).body;
async function ready() {
  const status = at(await release(), 'status');
  return readConditions(isObject(status) ? status : null).find((one) => one.type === 'Ready') ?? null;
}
const onCluster = async (path: string) => callCluster(held.stage.cluster.admin, { method: 'GET', path }).catch(() => null);
const colour = async (): Promise<string | undefined> => {
  const { body } = (await onCluster(`/api/v1/namespaces/${faultTenant.clusterNamespace}/configmaps/web`)) ?? { body: null };
  return isObject(body) ? textAt(body, 'data', 'colour') : undefined;
};
const said = async (): Promise<string> => JSON.stringify(at(await release(), 'status')).slice(0, 2_000);

it('an upgrade that loses its cluster is said, and is done again when the cluster is back', async () => {
  const { stage } = held;
  await until('the release is there', 60_000, 100, async () => ((await ready())?.status === 'True' ? true : null), said);
  expect(await colour()).toBe('red');
  const next = { 'chart/Chart.yaml': chartYaml('1.1.0'), 'chart/values.yaml': 'colour: green\n', 'chart/templates/hook.yaml': HOOK };
  await commit(next);
  const job = `/apis/batch/v1/namespaces/${faultTenant.clusterNamespace}/jobs/web-hook`;
  await until(
    'helm is in the middle of the upgrade',
    60_000,
    100,
    async () => ((await onCluster(job))?.status === 200 ? true : null),
    said,
  );
  await stage.cluster.stopApiServer();
  const seen = await until(
    'a condition says so',
    100_000,
    200,
    async () => {
      const found = await ready();
      return found?.status !== 'True' && found?.reason !== 'Progressing' && found?.status !== 'Unknown' ? found : null;
    },
    said,
  );
  expect(seen.message).toMatch(/./);
  const last = { 'chart/Chart.yaml': chartYaml('1.2.0'), 'chart/values.yaml': 'colour: blue\n', 'chart/templates/hook.yaml': null };
  await commit(last);
  await stage.cluster.startApiServer();
  await until('the release goes on', 90_000, 200, async () => ((await colour()) === 'blue' ? true : null), said);
  await until('it is ready', 30_000, 100, async () => ((await ready())?.status === 'True' ? true : null), said);
  const secrets = await onCluster(`/api/v1/namespaces/${faultTenant.clusterNamespace}/secrets?labelSelector=owner%3Dhelm`);
  const items = at(isObject(secrets?.body) ? secrets.body : {}, 'items');
  const statuses = (Array.isArray(items) ? items : []).map((one) => textAt(one, 'metadata', 'labels', 'status'));
  expect(statuses).toContain('deployed');
  expect(statuses.filter((one) => one?.startsWith('pending'))).toEqual([]);
}, 300_000);

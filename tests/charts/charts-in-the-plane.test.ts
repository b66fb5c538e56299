import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConditions } from '#core/conditions.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { callPlane, collectionPath, expectPlane } from '#deploy/demo/plane-client.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { useApp } from '#tests/kustomization/app.ts';
import { type ChartServer, makeChartAuthority, startChartServer } from './chart-server.ts';
import { chartYaml, type HelmTool, mapTemplate, openHelmTool, writeTree } from './helm-tool.ts';

const SOURCE = 'source.toolkit.fluxcd.io/v1';
const folder = useTemporaryDir('file');
const app = useApp('charts');
let server: ChartServer;
let helm: HelmTool;
let caPem: string;

beforeAll(async () => {
  helm = await openHelmTool(join(folder(), 'home'));
  const authority = await makeChartAuthority();
  caPem = authority.caPem;
  server = await startChartServer(authority);
});
afterAll(() => server.close());

async function publish(version: string): Promise<void> {
  const [chart, site] = [join(folder(), version), join(folder(), 'site')];
  await writeTree(chart, { 'Chart.yaml': chartYaml('app', version), 'values.yaml': 'colour: red\n', 'templates/map.yaml': mapTemplate });
  await helm('package', chart, '--destination', site);
  await helm('repo', 'index', site);
  for (const name of await readdir(site)) server.files.set(`/charts/${name}`, await readFile(join(site, name)));
}

const make = (kind: string, name: string, spec: JsonObject): Promise<void> =>
  app.create({ apiVersion: SOURCE, kind, metadata: { name: `${app.id}-${name}`, namespace: 'team-a' }, spec });
const read = async (kind: string, name: string): Promise<JsonObject> => (await app.get(kind, `${app.id}-${name}`)).body;
const ready = async (kind: string, name: string) => {
  const status = at(await read(kind, name), 'status');
  return readConditions(isObject(status) ? status : null).find(({ type }) => type === 'Ready');
};
const settled = (kind: string, name: string, wanted: JsonObject) =>
  expect.poll(() => ready(kind, name), { timeout: 20_000 }).toMatchObject(wanted);

test('a repository, a chart of it, and a new version that wakes the chart', async () => {
  await publish('1.0.0');
  await app.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${app.id}-ca`, namespace: 'team-a' },
    stringData: { 'ca.crt': caPem },
  });
  const sourceRef = { kind: 'HelmRepository', name: `${app.id}-repo` };
  await make('HelmChart', 'app', { chart: 'app', interval: '1h', sourceRef });
  await settled('HelmChart', 'app', { status: 'False', reason: 'SourceUnavailable' });
  await make('HelmRepository', 'repo', { url: `${server.url}/charts`, interval: '1h', certSecretRef: { name: `${app.id}-ca` } });
  await settled('HelmRepository', 'repo', { status: 'True', reason: 'Succeeded' });
  await settled('HelmChart', 'app', { status: 'True', message: "pulled 'app' chart with version '1.0.0'" });
  await publish('1.1.0');
  const requestedAt = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': String(Date.now()) } } };
  await app.patch('HelmRepository', `${app.id}-repo`, requestedAt);
  await settled('HelmChart', 'app', { status: 'True', message: "pulled 'app' chart with version '1.1.0'" });
  const status = at(await read('HelmChart', 'app'), 'status') ?? null;
  expect(textAt(status, 'artifact', 'path')).toBe(
    `helmchart/team-a/${app.id}-app/${(textAt(status, 'artifact', 'digest') ?? '').slice(7)}.tgz`,
  );
  expect(at(await read('HelmRepository', 'repo'), 'status', 'lastHandledReconcileAt')).toBe(
    requestedAt.metadata.annotations['reconcile.fluxcd.io/requestedAt'],
  );
  await app.patch('HelmChart', `${app.id}-app`, { spec: { version: '1.0.x' } });
  await settled('HelmChart', 'app', { status: 'True', message: "pulled 'app' chart with version '1.0.0'" });
});

test('a chart in git follows the push that raises its version', async () => {
  const files = (version: string) => ({ 'chart/Chart.yaml': chartYaml('mine', version), 'chart/templates/map.yaml': mapTemplate });
  await app.push(files('0.1.0'));
  await make('HelmChart', 'git', { chart: `${app.path}/chart`, interval: '1h', sourceRef: { kind: 'GitRepository', name: 'podinfo' } });
  await settled('HelmChart', 'git', { status: 'True', message: "packaged 'mine' chart with version '0.1.0'" });
  await app.push(files('0.2.0'));
  await settled('HelmChart', 'git', { status: 'True', message: "packaged 'mine' chart with version '0.2.0'" });
});

test('a registry is ready by existing', async () => {
  await make('HelmRepository', 'oci', { url: 'oci://registry.test/charts', type: 'oci', interval: '5m' });
  await settled('HelmRepository', 'oci', { status: 'True', message: 'Helm repository is ready' });
  expect(at(await read('HelmRepository', 'oci'), 'status', 'artifact')).toBeUndefined();
});

test('the example of the seed is accepted as it stands, and suspend stops what it would do', async () => {
  const example = {
    apiVersion: SOURCE,
    kind: 'HelmRepository',
    metadata: { name: 'ingress-nginx', namespace: 'team-a' },
    spec: { interval: '1m0s', url: 'https://kubernetes.github.io/ingress-nginx', suspend: true },
  };
  await app.create(example);
  expect(at((await app.get('HelmRepository', 'ingress-nginx')).body, 'spec')).toMatchObject(example.spec);
});

test('B12: a repository of another tenant is as missing as one that is not there', async () => {
  const collection = collectionPath(SOURCE, 'HelmChart', 'team-b');
  const messages: string[] = [];
  for (const name of [`${app.id}-repo`, 'never-there']) {
    const chart = { apiVersion: SOURCE, kind: 'HelmChart', metadata: { name: `${app.id}-${name}`.slice(0, 60), namespace: 'team-b' } };
    const spec = { chart: 'app', interval: '1h', sourceRef: { kind: 'HelmRepository', name } };
    await expectPlane(app.bob(), 'POST', collection, { ...chart, spec });
    const path = `${collection}/${chart.metadata.name}`;
    const message = async () => {
      const status = at((await callPlane(app.bob(), 'GET', path)).body, 'status');
      return readConditions(isObject(status) ? status : null).find(({ type }) => type === 'Ready')?.message ?? '';
    };
    await expect.poll(message, { timeout: 15_000 }).toContain('not found');
    messages.push((await message()).replaceAll(name, '<name>'));
    await expectPlane(app.bob(), 'DELETE', path);
    expect((await callPlane(app.bob(), 'GET', `/apis/${SOURCE}/namespaces/team-a/helmrepositories/${name}`)).status).toBe(404);
  }
  expect(messages[0]).toBe(messages[1]);
});

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalJson, type JsonObject } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { newCanaries } from '#tests/attacks/canaries.ts';
import { INSTALL_FAILED, MAP, useHostileCharts } from '#tests/attacks/hostile-charts.ts';
import { postgresRows, redisKeys } from '#tests/attacks/open-stores.ts';
import { make, pathOf, settled } from '#tests/attacks/two-tenants.ts';
import { type ChartServer, makeChartAuthority, startChartServer } from '#tests/charts/chart-server.ts';
import { chartYaml, openHelmTool, writeTree } from '#tests/charts/helm-tool.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

/** B2, B10, B12, B15 on whole releases: what belongs to one tenant stays there, and a login goes to nobody but its own host. */

const folder = useTemporaryDir('file');
const LOGIN = { username: 'reader', password: 'canary-b10-password' };
const state: { own: ChartServer | null; stranger: ChartServer | null; caPem: string } = { own: null, stranger: null, caPem: '' };
const charts = useHostileCharts('bt', () => ({
  twin: { 'templates/m.yaml': `${MAP}data: {colour: {{ .Values.colour | default "none" | quote }}}\n` },
  tells: { 'templates/m.yaml': `${MAP}data: {}\n---\n{{ fail (printf "the password is %s" .Values.password) }}\n` },
  refused: { 'templates/m.yaml': `${MAP}immutable: {{ .Values.password | quote }}\n` },
}));
const server = (which: 'own' | 'stranger'): ChartServer => {
  const found = state[which];
  if (found === null) throw new Error('the servers are not there yet');
  return found;
};

beforeAll(async () => {
  const authority = await makeChartAuthority();
  state.caPem = authority.caPem;
  state.own = await startChartServer(authority);
  state.stranger = await startChartServer(authority);
  server('own').rules.login = `${LOGIN.username}:${LOGIN.password}`;
  const helm = await openHelmTool(join(folder(), 'home'));
  const [chart, site] = [join(folder(), 'chart'), join(folder(), 'site')];
  await writeTree(chart, { 'Chart.yaml': chartYaml('app', '1.0.0'), 'templates/m.yaml': `${MAP}data: {from: private}\n` });
  await helm('package', chart, '--destination', site);
  await helm('repo', 'index', site);
  const [packed, index] = [await readFile(join(site, 'app-1.0.0.tgz')), await readFile(join(site, 'index.yaml'), 'utf8')];
  const away = Buffer.from(index.replace('app-1.0.0.tgz', `${server('stranger').url}/app-1.0.0.tgz`));
  for (const [path, content] of [
    ['/private/index.yaml', Buffer.from(index)],
    ['/private/app-1.0.0.tgz', packed],
    ['/private/away/index.yaml', away],
  ] as const)
    server('own').files.set(path, content);
  server('stranger').files.set('/app-1.0.0.tgz', packed);
});
afterAll(async () => {
  await state.own?.close();
  await state.stranger?.close();
});

const chartOf = (repository: string): JsonObject => ({
  chart: { spec: { chart: 'app', version: '1.0.0', sourceRef: { kind: 'HelmRepository', name: repository }, interval: '10m' } },
});

async function repository(who: 'alice' | 'bob', name: string, path: string, login: boolean): Promise<void> {
  const user = charts.plane().people[who];
  const namespace = who === 'alice' ? 'team-a' : 'team-b';
  await make(user, 'Secret', namespace, name, { stringData: { 'ca.crt': state.caPem, ...(login ? LOGIN : {}) } });
  await make(user, 'HelmRepository', namespace, name, {
    spec: {
      url: `${server('own').url}${path}`,
      interval: '10m',
      certSecretRef: { name },
      ...(login ? { secretRef: { name } } : {}),
    },
  });
}

test('B2: what one tenant fetched with its login is not there for another one that has none', { timeout: 90_000 }, async () => {
  await repository('alice', 'bt-private', '/private', true);
  expect(await charts.released('app', chartOf('bt-private'))).toMatchObject({ status: 'True', reason: 'InstallSucceeded' });
  expect(await charts.dataOf('bt-app')).toEqual({ from: 'private' });
  await repository('bob', 'bt-private', '/private', false);
  const { bob } = charts.plane().people;
  expect(await settled(bob, 'HelmRepository', 'team-b', 'bt-private')).toMatchObject({ status: 'False' });
  await make(bob, 'Placement', 'team-b', 'bt-app', {
    spec: { definitions: { kinds: ['HelmRelease'], names: ['bt-app'] }, clusters: { names: ['east'] } },
  });
  await make(bob, 'HelmRelease', 'team-b', 'bt-app', { spec: { interval: '10m', ...chartOf('bt-private') } });
  expect(await settled(bob, 'HelmRelease', 'team-b', 'bt-app')).toMatchObject({ status: 'False' });
  expect(JSON.stringify((await callPlane(bob, 'GET', pathOf('HelmChart', 'team-b', 'team-b-bt-app'))).body)).not.toContain('"artifact"');
  expect(await charts.dataOf('bt-app', 'team-b')).toBe(null);
  for (const [kind, name] of [
    ['HelmRelease', 'bt-app'],
    ['Placement', 'bt-app'],
    ['HelmRepository', 'bt-private'],
    ['Secret', 'bt-private'],
  ] as const)
    await callPlane(bob, 'DELETE', pathOf(kind, 'team-b', name));
});

test('B10: the login of a repository is not sent to another host that its index names', { timeout: 60_000 }, async () => {
  await repository('alice', 'bt-away', '/private/away', true);
  await charts.released('app', chartOf('bt-away'), 'bt-away');
  const asked = server('stranger').requests;
  expect(asked.length).toBeGreaterThan(0);
  for (const one of asked) expect(one.authorization).toBeUndefined();
  expect(server('own').requests.some((one) => one.status === 200 && one.authorization !== undefined)).toBe(true);
});

test('B12: every reference to an object of another tenant is answered as one to an object that is not there', {
  timeout: 120_000,
}, async () => {
  const { bob } = charts.plane().people;
  const theirs = 'bt-theirs';
  await make(bob, 'Secret', 'team-b', theirs, { stringData: { 'values.yaml': 'colour: stolen\n', value: 'stolen-kubeconfig' } });
  await make(bob, 'ConfigMap', 'team-b', theirs, { data: { 'values.yaml': 'colour: stolen\n' } });
  await make(bob, 'HelmRelease', 'team-b', theirs, {
    spec: { interval: '10m', chartRef: { kind: 'HelmChart', name: 'x' }, suspend: true },
  });
  const gitChart = (more: JsonObject) => ({
    spec: { chart: 'c/twin', sourceRef: { kind: 'GitRepository', name: theirs, ...more }, interval: '10m' },
  });
  const fields: readonly (readonly [string, (namespace: string, name: string) => JsonObject])[] = [
    ['chart', (namespace, name) => ({ chart: gitChart({ namespace, name }) })],
    ['chartref', (namespace, name) => ({ chartRef: { kind: 'HelmChart', name, namespace } })],
    ['chartoci', (namespace, name) => ({ chartRef: { kind: 'OCIRepository', name, namespace } })],
    ['depends', (namespace, name) => ({ dependsOn: [{ name, namespace }] })],
    ['secret', (_none, name) => ({ valuesFrom: [{ kind: 'Secret', name }] })],
    ['map', (_none, name) => ({ valuesFrom: [{ kind: 'ConfigMap', name }] })],
  ];
  await Promise.all(
    fields.map(async ([field, spec]) => {
      const foreign = await charts.released('twin', spec('team-b', theirs), `bt-f-${field}`);
      const missing = await charts.released('twin', spec('team-b', 'bt-nobody'), `bt-m-${field}`);
      expect(foreign, field).toMatchObject({ status: 'False' });
      const shown = ({ message }: typeof foreign, kind: string, name: string) =>
        message.replaceAll(`bt-${kind}-${field}`, '<release>').replaceAll(name, '<name>');
      expect(shown(foreign, 'f', theirs), field).toBe(shown(missing, 'm', 'bt-nobody'));
      expect(foreign.reason, field).toBe(missing.reason);
    }),
  );
  // Twin: the same references inside the tenant.
  await make(charts.alice(), 'Secret', 'team-a', 'bt-ours', { stringData: { 'values.yaml': 'colour: ours\n' } });
  const own = { valuesFrom: [{ kind: 'Secret', name: 'bt-ours' }] };
  expect(await charts.released('twin', own)).toMatchObject({ status: 'True' });
  expect(await charts.dataOf('bt-twin')).toEqual({ colour: 'ours' });
  expect(await charts.released('twin', { dependsOn: [{ name: 'bt-twin', namespace: 'team-a' }] }, 'bt-depends')).toMatchObject({
    status: 'True',
  });
  for (const kind of ['HelmRelease', 'ConfigMap', 'Secret']) await callPlane(bob, 'DELETE', pathOf(kind, 'team-b', theirs));
});

test('B15: values of a Secret stand in no store and no answer of the plane, nor a digest that a guess can be tested with', {
  timeout: 120_000,
}, async () => {
  const canaries = newCanaries();
  const password = canaries.plant('helm-values');
  await make(charts.alice(), 'Secret', 'team-a', 'bt-values', { stringData: { 'values.yaml': `password: ${password}\ncolour: blue\n` } });
  const from = { valuesFrom: [{ kind: 'Secret', name: 'bt-values' }] };
  expect(await charts.released('twin', from, 'bt-values')).toMatchObject({ status: 'True' });
  for (const chart of ['tells', 'refused']) {
    const told = await charts.released(chart, from);
    expect(told).toMatchObject({ status: 'False', reason: INSTALL_FAILED });
    expect(told.message).not.toContain(password);
  }
  canaries.adopt(
    'digest of the values',
    createHash('sha256')
      .update(canonicalJson({ password, colour: 'blue' }))
      .digest('hex'),
  );
  for (const { where, content } of [...(await postgresRows(charts.plane())), ...(await redisKeys(charts.plane()))])
    expect(canaries.find(where, content)).toEqual([]);
  const log = await readFile(charts.plane().logFile);
  expect(canaries.find('log', log)).toEqual([]);
});

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { conditionOf } from '#core/conditions.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import type { StoredObject } from '#core/store.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { helmRepositoryKind } from '#kinds/helm-repository/index.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type ChartAuthority, type ChartServer, makeChartAuthority, startChartServer } from './chart-server.ts';
import { chartYaml, type HelmTool, mapTemplate, openHelmTool, writeTree } from './helm-tool.ts';
import { type ChartParts, filesOf, type Given, never, openChartParts, type Pass, runPass, storedObject } from './passes.ts';

const folder = useTemporaryDir('file');
const chartKind = runnable(helmChartKind);
const repositoryKind = runnable(helmRepositoryKind);
let authority: ChartAuthority;
let server: ChartServer;
let stranger: ChartServer;
let parts: ChartParts;
let helm: HelmTool;
let site: string;

beforeAll(async () => {
  helm = await openHelmTool(join(folder(), 'home'));
  site = join(folder(), 'site');
  authority = await makeChartAuthority();
  [server, stranger] = await Promise.all([startChartServer(authority), startChartServer(authority)]);
  parts = openChartParts(folder());
});
afterAll(async () => {
  await parts.close();
  await Promise.all([server.close(), stranger.close()]);
});
beforeEach(async () => {
  for (const one of [server, stranger]) {
    one.files.clear();
    one.requests.length = 0;
    Object.assign(one.rules, { login: null, clientRequired: false, intercept: null });
  }
  await rm(site, { recursive: true, force: true });
  await publish(['1.0.0', '1.1.0', '2.0.0-rc.1']);
});

/** Packs the versions with the real helm, makes the index, and puts both on the server. */
async function publish(versions: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<void> {
  for (const version of versions) {
    const chart = join(folder(), 'charts', version);
    await writeTree(chart, {
      'Chart.yaml': chartYaml('app', version, 'appVersion: "1.10"\n'),
      'values.yaml': 'colour: red # default\nlist: [1]\n',
      'templates/map.yaml': mapTemplate,
      'crds/thing.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.test}\n',
      'files/prod.yaml': 'colour: blue\nlist: [2, 3]\n',
      ...more,
    });
    await helm('package', chart, '--destination', site);
  }
  await helm('repo', 'index', site);
  for (const name of await readdir(site)) server.files.set(`/private/${name}`, await readFile(join(site, name)));
}

const repositorySpec = (over: JsonObject = {}): JsonObject => ({
  url: `${server.url}/private`,
  interval: '1m',
  certSecretRef: { name: 'ca' },
  ...over,
});
const secretsWith = (login?: Readonly<Record<string, string>>) => ({
  ca: { 'ca.crt': authority.caPem },
  ...(login === undefined ? {} : { login }),
});

async function repository(over: JsonObject = {}, login?: Readonly<Record<string, string>>): Promise<StoredObject> {
  const { status, judged } = await runPass(parts, repositoryKind, { spec: repositorySpec(over), secrets: secretsWith(login) });
  expect(judged).toMatchObject({ is: 'ready' });
  return storedObject('HelmRepository', 'repo', { body: { spec: repositorySpec(over) }, status });
}

const chartSpec = (over: JsonObject = {}): JsonObject => ({
  chart: 'app',
  interval: '1m',
  sourceRef: { kind: 'HelmRepository', name: 'repo' },
  ...over,
});
const build = (source: StoredObject | null, over: JsonObject = {}, given: Partial<Given> = {}): Promise<Pass> =>
  runPass(parts, chartKind, { spec: chartSpec(over), objects: source === null ? [] : [source], secrets: secretsWith(), ...given });
const digestOf = ({ status }: Pass): string => textAt(status, 'artifact', 'digest') ?? '';

/** What the pinned helm makes of the stored artifact. */
async function rendered(pass: Pass, ...args: readonly string[]): Promise<string> {
  const { path } = await parts.store.open(digestOf(pass), never);
  return helm('template', 'release', path, ...args);
}

test('a chart is downloaded, checked against the index, stored as helm takes it, and not downloaded again', async () => {
  const source = await repository();
  const first = await build(source);
  expect(first.acts).toEqual(['build']);
  expect(first.judged).toMatchObject({
    is: 'ready',
    reason: 'ChartPullSucceeded',
    message: "pulled 'app' chart with version '1.1.0'",
    revision: '1.1.0',
  });
  expect(first.status).toMatchObject({
    observedChartName: 'app',
    observedSourceArtifactRevision: textAt(source.status ?? {}, 'artifact', 'revision'),
  });
  expect(conditionOf(first.status, 'ArtifactInStorage')).toMatchObject({ status: 'True', reason: 'ChartPullSucceeded' });
  const text = await rendered(first, '--include-crds');
  expect(text).toContain('colour: "red"');
  expect(text).toContain('name: things.test');
  const files = await filesOf(parts, digestOf(first));
  expect(new Set([...files.keys()].map((path) => path.split('/')[0]))).toEqual(new Set(['chart']));
  expect(files.get('chart/templates/map.yaml')?.toString('utf8')).toBe(mapTemplate);
  expect(files.get('chart/values.yaml')?.toString('utf8')).toBe('colour: red # default\nlist: [1]\n');
  server.requests.length = 0;
  const again = await build(source, {}, { status: first.status });
  expect(again.acts).toEqual([]);
  expect(again.status).toEqual(first.status);
  // Another index with the same best version costs no download.
  await publish(['0.1.0']);
  const other = await repository();
  server.requests.length = 0;
  const third = await build(other, {}, { status: first.status });
  expect(third.acts).toEqual([]);
  expect(third.status['observedSourceArtifactRevision']).toBe(textAt(other.status ?? {}, 'artifact', 'revision'));
  expect(server.requests).toEqual([]);
  expect(await readdir(parts.workDir)).toEqual([]);
});

test.each([
  ['*', '1.1.0'],
  ['1.0.x', '1.0.0'],
  ['>=1.0.0-0', '2.0.0-rc.1'],
  ['1.0.0', '1.0.0'],
])('version %j is %s', async (version, wanted) => {
  expect((await build(await repository(), { version })).judged).toMatchObject({ is: 'ready', revision: wanted });
});

test('a newer version in the index follows', async () => {
  const first = await build(await repository());
  await publish(['1.2.0']);
  const second = await build(await repository(), {}, { status: first.status });
  expect(second.judged).toMatchObject({ is: 'ready', revision: '1.2.0' });
  expect(digestOf(second)).not.toBe(digestOf(first));
});

test('values files replace values.yaml in order; the version says so; a missing one is an error unless it may be missing', async () => {
  const source = await repository();
  const first = await build(source, { valuesFiles: ['values.yaml', './files/prod.yaml'] }, { generation: 4 });
  expect(first.judged).toMatchObject({ is: 'ready', reason: 'ChartPackageSucceeded', revision: '1.1.0+4' });
  expect(first.status).toMatchObject({ observedValuesFiles: ['values.yaml', './files/prod.yaml'] });
  expect(await rendered(first)).toContain('colour: "blue"');
  const files = await filesOf(parts, digestOf(first));
  expect(JSON.parse(files.get('chart/values.yaml')?.toString('utf8') ?? '')).toEqual({ colour: 'blue', list: [2, 3] });
  const shown = await helm('show', 'chart', (await parts.store.open(digestOf(first), never)).path);
  expect(shown).toContain('version: 1.1.0+4');
  expect(shown).toMatch(/appVersion: "?1.10"?/);
  const missing = await build(source, { valuesFiles: ['files/none.yaml'] });
  expect(missing.judged).toMatchObject({
    is: 'stalled',
    reason: 'ValuesFilesError',
    message: expect.stringContaining('"files/none.yaml"'),
  });
  expect(conditionOf(missing.status, 'BuildFailed')).toMatchObject({ status: 'True', reason: 'ValuesFilesError' });
  const skipped = await build(source, { valuesFiles: ['files/none.yaml', 'files/prod.yaml'], ignoreMissingValuesFiles: true });
  expect(skipped.status).toMatchObject({ observedValuesFiles: ['files/prod.yaml'] });
  const back = await build(source, {}, { status: first.status, generation: 5 });
  expect(back.judged).toMatchObject({ is: 'ready', revision: '1.1.0' });
  expect(back.status).toMatchObject({ observedValuesFiles: [] });
  expect(await rendered(back)).toContain('colour: "red"');
});

test('B1: a values file outside of the chart is as missing as one that is not there', async () => {
  const source = await repository();
  await writeFile(join(folder(), 'canary.yaml'), 'colour: canary\n');
  for (const path of ['../canary.yaml', '/etc/hostname', 'files/../../canary.yaml', '../app/values.yaml']) {
    const { judged } = await build(source, { valuesFiles: [path] });
    expect(judged).toMatchObject({ is: 'stalled', reason: 'ValuesFilesError', message: expect.stringMatching(/^no values file at/) });
  }
});

test('each way to fail has its reason, keeps the last chart and heals', async () => {
  const source = await repository();
  const good = await build(source);
  const expectKept = (run: Pass, is: string, reason: string, type = 'FetchFailed'): Pass => {
    expect(run.judged).toMatchObject({ is, reason });
    expect(at(run.status, 'artifact')).toEqual(at(good.status, 'artifact'));
    expect(conditionOf(run.status, type)).toMatchObject({ status: 'True', reason });
    expect(conditionOf(run.status, 'ArtifactInStorage')).toMatchObject({ status: 'True' });
    return run;
  };
  const status = good.status;
  expectKept(await build(null, {}, { status }), 'failed', 'SourceUnavailable');
  const empty = storedObject('HelmRepository', 'repo', { body: { spec: repositorySpec() } });
  expectKept(await build(empty, {}, { status }), 'failed', 'NoSourceArtifact');
  expectKept(await build(source, { chart: 'other' }, { status, generation: 2 }), 'stalled', 'InvalidChartReference');
  expectKept(await build(source, { version: '>=9' }, { status, generation: 2 }), 'stalled', 'InvalidChartReference');
  expectKept(await build(source, { version: 'latest' }, { status, generation: 2 }), 'stalled', 'InvalidChartReference');
  server.files.delete('/private/app-1.0.0.tgz');
  const pull = expectKept(await build(source, { version: '1.0.0' }, { status, generation: 2 }), 'failed', 'ChartPullError');
  expect(conditionOf(pull.status, 'ArtifactOutdated')).toMatchObject({ status: 'True', reason: 'NewChart' });
  const dead = { ...source, body: { spec: repositorySpec({ url: 'https://localhost:1' }) } };
  expectKept(await build(dead, { version: '1.0.0' }, { status, generation: 2 }), 'failed', 'ChartPullError');
  const secretless = { ...source, body: { spec: repositorySpec({ secretRef: { name: 'gone' } }) } };
  expectKept(await build(secretless, { version: '1.0.0' }, { status, generation: 2 }), 'failed', 'AuthenticationFailed');
  server.files.set('/private/app-1.0.0.tgz', await readFile(join(site, 'app-1.0.0.tgz')));
  const healed = await build(source, { version: '1.0.0' }, { status: pull.status, generation: 2 });
  expect(healed.judged).toMatchObject({ is: 'ready', revision: '1.0.0' });
  for (const type of ['FetchFailed', 'BuildFailed', 'ArtifactOutdated']) expect(conditionOf(healed.status, type)).toBeNull();
});

test('a chart with another digest than the index says is refused, and what is lost from storage is fetched again', async () => {
  const source = await repository();
  server.files.set('/private/app-1.1.0.tgz', await readFile(join(site, 'app-1.0.0.tgz')));
  const lied = await build(source);
  expect(lied.judged).toMatchObject({ is: 'failed', reason: 'ChartPullError', message: expect.stringContaining('another digest') });
  server.files.set('/private/app-1.1.0.tgz', await readFile(join(site, 'app-1.1.0.tgz')));
  const good = await build(source, {}, { status: lied.status });
  expect(good.judged).toMatchObject({ is: 'ready' });
  await parts.store.remove(digestOf(good));
  const again = await build(source, {}, { status: good.status });
  expect(again.acts).toEqual(['build']);
  expect(digestOf(again)).toBe(digestOf(good));
  await parts.store.remove(textAt(source.status ?? {}, 'artifact', 'digest') ?? '');
  const lost = await build(source, {}, { status: good.status, generation: 2 });
  expect(lost.judged).toMatchObject({ is: 'failed', reason: 'NoSourceArtifact' });
});

test('B10: the credential goes to the host and port of the repository; elsewhere only with passCredentials', async () => {
  server.rules.login = 'user:canary-pass';
  const login = { username: 'user', password: 'canary-pass' };
  await helm('repo', 'index', site, '--url', `${stranger.url}/files`);
  server.files.set('/private/index.yaml', await readFile(join(site, 'index.yaml')));
  stranger.files.set('/files/app-1.1.0.tgz', await readFile(join(site, 'app-1.1.0.tgz')));
  const refs = { secretRef: { name: 'login' } };
  const secrets = secretsWith(login);
  const closed = await repository(refs, login);
  expect((await build(closed, {}, { secrets })).judged).toMatchObject({ is: 'ready' });
  expect(stranger.requests).toMatchObject([{ path: '/files/app-1.1.0.tgz', authorization: undefined, client: '' }]);
  const open = await repository({ ...refs, passCredentials: true }, login);
  expect((await build(open, {}, { secrets })).judged).toMatchObject({ is: 'ready' });
  expect(stranger.requests[1]?.authorization).toBe(`Basic ${Buffer.from('user:canary-pass').toString('base64')}`);
  // A redirect takes nothing along, whatever the definition says.
  await helm('repo', 'index', site);
  server.files.set('/private/index.yaml', await readFile(join(site, 'index.yaml')));
  const own = await repository({ ...refs, passCredentials: true }, login);
  server.rules.intercept = (request, response) => {
    if (request.url !== '/private/app-1.1.0.tgz') return false;
    response.writeHead(302, { location: `${stranger.url}/files/app-1.1.0.tgz` }).end();
    return true;
  };
  const redirected = await build(own, {}, { secrets });
  expect(redirected.judged).toMatchObject({ is: 'ready' });
  expect(stranger.requests[2]).toMatchObject({ authorization: undefined, status: 200 });
  server.rules.intercept = null;
  const wrong = await build(own, {}, { secrets: secretsWith({ username: 'user', password: 'canary-other' }) });
  expect(wrong.judged).toMatchObject({ is: 'failed', reason: 'AuthenticationFailed' });
  expect(JSON.stringify([redirected, wrong])).not.toContain('canary');
});

test('G1: an index that names a private address, a file or plain http reaches nothing', async () => {
  const index = (await readFile(join(site, 'index.yaml'))).toString('utf8');
  for (const [url, is, reason] of [
    ['http://localhost:1/app-1.1.0.tgz', 'stalled', 'AccessDenied'],
    ['https://10.0.0.1/app.tgz', 'stalled', 'AccessDenied'],
    ['https://169.254.169.254/latest', 'stalled', 'AccessDenied'],
    ['file:///etc/passwd', 'stalled', 'InvalidChartReference'],
  ] as const) {
    server.files.set('/private/index.yaml', Buffer.from(index.replaceAll(/- app-[^\n]*tgz/g, `- ${url}`)));
    expect((await build(await repository())).judged).toMatchObject({ is, reason });
  }
});

test('what is not served is said', async () => {
  const source = await repository();
  for (const verify of [{ provider: 'cosign' }, { provider: 'cosign', secretRef: { name: 'keys' } }])
    expect((await build(source, { verify })).judged).toMatchObject({ is: 'stalled', reason: 'UnsupportedField' });
});

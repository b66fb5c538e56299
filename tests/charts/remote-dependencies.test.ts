import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { conditionOf } from '#core/conditions.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import type { StoredObject } from '#core/store.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { type ChartAuthority, type ChartServer, makeChartAuthority, startChartServer } from './chart-server.ts';
import { chartYaml, type HelmTool, openHelmTool, writeTree } from './helm-tool.ts';
import { type ChartParts, type Files, never, openChartParts, type Pass, runPass, storedObject, storedSource } from './passes.ts';

const children = useChildren('file');
const folder = useTemporaryDir('file');
const kind = runnable(helmChartKind);
let authority: ChartAuthority;
let server: ChartServer;
let registry: RegistryServer;
let registryCa: string;
let parts: ChartParts;
let helm: HelmTool;

beforeAll(async () => {
  const { registry: program } = await loadToolPaths({ only: ['registry'] });
  if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
  const local = await openLocalAuthority(join(folder(), 'ca'), 'dependency tests');
  registryCa = local.certificatePem;
  registry = await startRegistry(children, { dir: join(folder(), 'registry'), program, authority: local });
  authority = await makeChartAuthority();
  server = await startChartServer(authority);
  helm = await openHelmTool(join(folder(), 'home'));
  parts = openChartParts(folder());
  const site = join(folder(), 'site');
  for (const [name, version] of [
    ['common', '2.0.0'],
    ['common', '2.1.0'],
    ['other', '1.0.0'],
  ] as const) {
    const chart = join(folder(), 'made', `${name}-${version}`);
    await writeTree(chart, {
      'Chart.yaml': chartYaml(name, version),
      'templates/a.yaml': 'from: {{ .Chart.Name }}-{{ .Chart.Version }}\n',
    });
    await helm('package', chart, '--destination', site);
  }
  const login = ['--username', registry.username, '--password', registry.password, '--ca-file', local.certificateFile];
  for (const version of ['2.0.0', '2.1.0'])
    await helm('push', join(site, `common-${version}.tgz`), `oci://${registry.host}/libs`, ...login);
  await helm('repo', 'index', site);
  for (const name of await readdir(site)) server.files.set(`/private/${name}`, await readFile(join(site, name)));
});
afterAll(async () => {
  await parts.close();
  await server.close();
  await registry.stop();
});
beforeEach(() => {
  server.rules.login = 'user:canary-pass';
  server.requests.length = 0;
});

const secrets = () => ({
  ca: { 'ca.crt': authority.caPem },
  login: { username: 'user', password: 'canary-pass' },
  'registry-ca': { 'ca.crt': registryCa },
  'registry-login': { username: registry.username, password: registry.password },
});
const repository = (over: JsonObject = {}): StoredObject => {
  const refs = { secretRef: { name: 'login' }, certSecretRef: { name: 'ca' } };
  return storedObject('HelmRepository', 'repo', { body: { spec: { url: `${server.url}/private/`, ...refs, ...over } } });
};
const ociRepository = (): StoredObject => {
  const refs = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
  return storedObject('HelmRepository', 'oci', { body: { spec: { type: 'oci', url: `oci://${registry.host}/libs`, ...refs } } });
};
const needs = (...lines: readonly string[]): string => `dependencies:\n${lines.map((line) => `- {${line}}\n`).join('')}`;

async function build(dependencies: string, objects: readonly StoredObject[], more: Files = {}): Promise<Pass> {
  const revision = 'main@sha1:4e5cbb7b97d00a8039b8810b90b922f4256fd3bd';
  const files = { 'app/Chart.yaml': chartYaml('app', '1.0.0', dependencies), 'app/templates/a.yaml': 'from: app\n', ...more };
  const source = await storedSource(parts, { kind: 'GitRepository', name: 'git', revision }, files);
  const spec = { chart: 'app', interval: '1m', sourceRef: { kind: 'GitRepository', name: 'git' } };
  return runPass(parts, kind, { spec, objects: [source, ...objects], secrets: secrets() });
}
const template = async (pass: Pass): Promise<string> => {
  const { path } = await parts.store.open(textAt(pass.status, 'artifact', 'digest') ?? '', never);
  return helm('template', 'release', path);
};
const refused = (pass: Pass, message: RegExp): void => {
  expect(pass.judged).toMatchObject({ is: 'failed', reason: 'DependencyBuildError', message: expect.stringMatching(message) });
  expect(conditionOf(pass.status, 'BuildFailed')).toMatchObject({ status: 'True', reason: 'DependencyBuildError' });
  expect(JSON.stringify(pass)).not.toContain('canary');
};

test('dependencies come from the repository that the chart names, with the login of the HelmRepository at that address', async () => {
  const both = needs(
    `name: common, version: 2.x, repository: "${server.url}/private"`,
    `name: other, version: "*", repository: "${server.url}/private"`,
  );
  const built = await build(both, [repository()]);
  expect(built.judged).toMatchObject({ is: 'ready', revision: '1.0.0' });
  const text = await template(built);
  expect(text).toContain('from: common-2.1.0');
  expect(text).toContain('from: other-1.0.0');
  // One index for both, and each chart once.
  expect(server.requests.map(({ path }) => path)).toEqual(['/private/index.yaml', '/private/common-2.1.0.tgz', '/private/other-1.0.0.tgz']);
  expect(await readdir(parts.workDir)).toEqual([]);
});

test('a lock file pins the version', async () => {
  const asked = (version: string): string => needs(`name: common, version: ${version}, repository: "${server.url}/private"`);
  const built = await build(asked('2.x'), [repository()], { 'app/Chart.lock': asked('2.0.0') });
  expect(await template(built)).toContain('from: common-2.0.0');
});

test('from a registry as well', async () => {
  for (const [version, wanted] of [
    ['2.0.0', '2.0.0'],
    ['"~2"', '2.1.0'],
  ]) {
    const built = await build(needs(`name: common, version: ${version}, repository: "oci://${registry.host}/libs"`), [ociRepository()]);
    expect(built.judged).toMatchObject({ is: 'ready' });
    expect(await template(built)).toContain(`from: common-${wanted}`);
  }
});

test('B10: another address borrows neither login nor trust, and a repository of another namespace none at all', async () => {
  const line = (url: string): string => needs(`name: common, version: 2.x, repository: "${url}"`);
  refused(await build(line(`${server.url}/private/sub`), [repository()]), /unknown authority/);
  refused(await build(line(`${server.url}/private`), []), /unknown authority/);
  refused(await build(line(`${server.url}/private`), [{ ...repository(), namespace: 'strangers' }]), /unknown authority/);
  refused(await build(line(`oci://${registry.host}/libs`), []), /dependency common/);
  for (const { authorization } of server.requests) expect(authorization).toBeUndefined();
  expect((await build(line(`${server.url}/private`), [repository()])).judged).toMatchObject({ is: 'ready' });
});

test.each([
  ['no such chart', 'name: none, version: 2.x', /dependency none: the repository has no chart "none"/],
  ['no such version', 'name: common, version: ">=9"', /dependency common: no version of chart "common" matches/],
  ['no range', 'name: common, version: latest', /no range of versions/],
])('%s in the repository', async (_what, line, message) => {
  refused(await build(needs(`${line}, repository: "${server.url}/private"`), [repository()]), message);
});

test('what the repository does wrong is told and tried again: a wrong login, a dead host, a private address, another chart', async () => {
  const line = needs(`name: common, version: 2.x, repository: "${server.url}/private"`);
  server.rules.login = 'user:another';
  refused(await build(line, [repository()]), /answered 401/);
  server.rules.login = 'user:canary-pass';
  refused(await build(line, [repository({ secretRef: { name: 'gone' } })]), /secret 'team\/gone'/);
  refused(await build(needs('name: common, version: 2.x, repository: "https://localhost:1/x"'), []), /localhost:1/);
  refused(await build(needs('name: common, version: 2.x, repository: "https://169.254.169.254/x"'), []), /dependency common/);
  refused(await build(needs('name: common, version: 2.x, repository: "http://localhost:1/x"'), []), /plain http/);
  refused(await build(needs('name: common, version: 2.x, repository: "https://u:canary@localhost:1/x"'), []), /holds a credential/);
  const index = server.files.get('/private/index.yaml') ?? Buffer.alloc(0);
  const swapped = index
    .toString('utf8')
    .replace('- common-2.1.0.tgz', '- other-1.0.0.tgz')
    .replaceAll(/ {4}digest: .*\n/g, '');
  server.files.set('/private/index.yaml', Buffer.from(swapped));
  refused(await build(line, [repository()]), /in its repository the chart has another name/);
  server.files.set('/private/index.yaml', index);
});

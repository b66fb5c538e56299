import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { conditionOf } from '#core/conditions.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { helmRepositoryKind } from '#kinds/helm-repository/index.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type ChartAuthority, type ChartServer, makeChartAuthority, startChartServer } from './chart-server.ts';
import { chartYaml, type HelmTool, openHelmTool, writeTree } from './helm-tool.ts';
import { type ChartParts, chartsOf, filesOf, type Given, never, openChartParts, type Pass, runPass } from './passes.ts';

const folder = useTemporaryDir('file');
const kind = runnable(helmRepositoryKind);
let authority: ChartAuthority;
let server: ChartServer;
let parts: ChartParts;
let helm: HelmTool;
let index: Buffer;

beforeAll(async () => {
  helm = await openHelmTool(join(folder(), 'home'));
  const site = join(folder(), 'site');
  for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1', '1.1.0+build.5']) {
    const chart = join(folder(), version);
    await writeTree(chart, { 'Chart.yaml': chartYaml('podinfo', version, 'description: "a: b # c"\n'), 'values.yaml': 'a: 1\n' });
    await helm('package', chart, '--destination', site);
  }
  await helm('repo', 'index', site);
  index = await readFile(join(site, 'index.yaml'));
  authority = await makeChartAuthority();
  server = await startChartServer(authority);
  parts = openChartParts(folder());
});
afterAll(async () => {
  await parts.close();
  await server.close();
});
beforeEach(() => {
  server.files.clear();
  server.files.set('/charts/index.yaml', index);
  server.files.set('/private/index.yaml', index);
  Object.assign(server.rules, { login: null, clientRequired: false, intercept: null, noMarks: false });
  server.requests.length = 0;
});

const spec = (over: JsonObject = {}): JsonObject => ({
  url: `${server.url}/charts`,
  interval: '1m0s',
  timeout: '20s',
  certSecretRef: { name: 'ca' },
  ...over,
});
const look = (given: Partial<Given> = {}): Promise<Pass> =>
  runPass(parts, kind, { spec: spec(), ...given, secrets: { ca: { 'ca.crt': authority.caPem }, ...given.secrets } });
const statuses = () => server.requests.map(({ status }) => status);

test('the index becomes an artifact as it was fetched; the next look is one conditional request that writes nothing', async () => {
  const first = await look();
  expect(first.acts).toEqual(['store']);
  expect(first.judged).toMatchObject({ is: 'ready', reason: 'Succeeded', revision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(conditionOf(first.status, 'ArtifactInStorage')).toMatchObject({ status: 'True' });
  const digest = textAt(first.status, 'artifact', 'digest') ?? '';
  expect((await filesOf(parts, digest)).get('index.yaml')?.equals(index)).toBe(true);
  const second = await look({ status: first.status });
  expect(second.acts).toEqual([]);
  expect(second.status).toEqual(first.status);
  expect(statuses()).toEqual([200, 304]);
  // A server without ETags sends it all again; it is the same, so nothing is stored.
  server.rules.noMarks = true;
  expect((await look({ status: first.status })).acts).toEqual([]);
  expect(await readdir(parts.workDir)).toEqual([]);
});

test('another index follows; one that was lost from storage is fetched without condition', async () => {
  const first = await look();
  server.files.set('/charts/index.yaml', Buffer.from(index.toString('utf8').replaceAll('podinfo', 'renamed')));
  const second = await look({ status: first.status });
  expect(second.acts).toEqual(['store']);
  expect(textAt(second.status, 'artifact', 'revision')).not.toBe(textAt(first.status, 'artifact', 'revision'));
  await parts.store.remove(textAt(second.status, 'artifact', 'digest') ?? '');
  const third = await look({ status: second.status });
  expect(third.acts).toEqual(['store']);
  expect(statuses()).toEqual([200, 200, 200]);
  expect(textAt(third.status, 'artifact', 'digest')).toBe(textAt(second.status, 'artifact', 'digest'));
});

test('a changed definition asks without condition: the mark is of another address', async () => {
  const first = await look();
  server.files.set('/other/index.yaml', index);
  await look({ status: first.status, generation: 2, spec: spec({ url: `${server.url}/other/` }) });
  expect(server.requests.map(({ path, status }) => [path, status])).toEqual([
    ['/charts/index.yaml', 200],
    ['/other/index.yaml', 200],
  ]);
});

test('query parameters of the address go along with the index, as in helm', async () => {
  await look({ spec: spec({ url: `${server.url}/charts?tenant=a` }) });
  expect(server.requests[0]?.path).toBe('/charts/index.yaml?tenant=a');
});

const bad: readonly (readonly [string, string | Buffer, string, RegExp])[] = [
  ['no YAML', 'entries: {a: [', 'IndexationFailed', /it is no YAML/],
  ['a page', '<html><body>Sign in</body></html>', 'IndexationFailed', /no apiVersion/],
  ['nothing', '', 'IndexationFailed', /no apiVersion/],
  ['no map of charts', 'apiVersion: v1\nentries: [a, b]\n', 'IndexationFailed', /no entries/],
  ['half of it', 'apiVersion: v1\nentries:\n  "a\n', 'IndexationFailed', /it is no YAML/],
  [
    'longer than allowed',
    `apiVersion: v1\nentries:\n  app:\n${'  - version: 1.0.0\n'.repeat(20_001)}`,
    'IndexationFailed',
    /20000 versions of one chart/,
  ],
  [
    'longer than allowed, as JSON',
    JSON.stringify({ apiVersion: 'v1', entries: { app: Array(20_001).fill({ version: '1' }) } }),
    'IndexationFailed',
    /20000/,
  ],
  ['without apiVersion', 'entries: {}\n', 'IndexationFailed', /no apiVersion/],
];
test.each(bad)('an index that is %s leaves the last one and says so', async (_what, text, reason, message) => {
  const good = await look();
  server.files.set('/charts/index.yaml', Buffer.from(text));
  const run = await look({ status: good.status });
  expect(run.judged).toMatchObject({ is: 'failed', reason, message: expect.stringMatching(message) });
  expect(at(run.status, 'artifact')).toEqual(at(good.status, 'artifact'));
  expect(conditionOf(run.status, 'FetchFailed')).toMatchObject({ status: 'True', reason });
  expect(conditionOf(run.status, 'ArtifactOutdated')).toMatchObject({ status: 'True', reason: 'NewRevision' });
  server.files.set('/charts/index.yaml', index);
  const back = await look({ status: run.status });
  expect(back.judged).toMatchObject({ is: 'ready' });
  expect(conditionOf(back.status, 'FetchFailed')).toBeNull();
  expect(conditionOf(back.status, 'ArtifactOutdated')).toBeNull();
});

test('no index, a broken server and one that asks to wait are told apart from a wrong login', async () => {
  server.files.clear();
  expect((await look()).judged).toMatchObject({ is: 'failed', reason: 'Failed', message: expect.stringContaining('answered 404') });
  server.rules.intercept = (_request, response) => {
    response.writeHead(503, { 'retry-after': '7' }).end();
    return true;
  };
  expect((await look()).judged).toMatchObject({ is: 'failed', reason: 'Failed', retryAfterMs: 7_000 });
  server.rules.intercept = (_request, response) => {
    response.writeHead(200, { 'content-length': '5000' }).write('entries:');
    response.destroy();
    return true;
  };
  expect((await look()).judged).toMatchObject({ is: 'failed', reason: 'Failed' });
  expect((await look({ spec: spec({ url: 'https://localhost:1/charts' }) })).judged).toMatchObject({ is: 'failed', reason: 'Failed' });
});

test('basic authentication: right, wrong, half, missing', async () => {
  server.rules.login = 'user:canary-right';
  const at401 = { spec: spec({ url: `${server.url}/private`, secretRef: { name: 'login' } }) };
  const withLogin = (login: Readonly<Record<string, string>>) => look({ ...at401, secrets: { login } });
  expect((await withLogin({ username: 'user', password: 'canary-right' })).judged).toMatchObject({ is: 'ready' });
  const refused = [
    await withLogin({ username: 'user', password: 'canary-wrong' }),
    await withLogin({ username: 'user' }),
    await look(at401),
    await look({ spec: spec({ url: `${server.url}/private` }) }),
  ];
  for (const { judged } of refused) expect(judged).toMatchObject({ is: 'failed', reason: 'AuthenticationFailed' });
  expect(JSON.stringify(refused)).not.toContain('canary');
  expect(refused[2]?.judged.message).toContain("secret 'team/login': it does not exist");
});

test('a private authority is trusted by certSecretRef, or by the deprecated key of secretRef, and by nothing else', async () => {
  const without = await look({ spec: { url: `${server.url}/charts`, timeout: '20s' } });
  expect(without.judged).toMatchObject({ is: 'failed', reason: 'Failed', message: expect.stringContaining('unknown authority') });
  const old = { spec: { url: `${server.url}/charts`, secretRef: { name: 'old' } }, secrets: { old: { caFile: authority.caPem } } };
  expect((await look(old)).judged).toMatchObject({ is: 'ready' });
  const broken = await look({ secrets: { ca: { 'ca.crt': 'canary' } } });
  expect(broken.judged).toMatchObject({ is: 'failed', reason: 'AuthenticationFailed', message: expect.stringContaining('ca.crt') });
  expect(JSON.stringify(broken)).not.toContain('canary');
});

test('a client certificate is shown to the server; half a pair is refused', async () => {
  server.rules.clientRequired = true;
  const { certificatePem, keyPem } = authority.clientLeaf;
  const ca = { 'ca.crt': authority.caPem, 'tls.crt': certificatePem, 'tls.key': keyPem };
  expect((await look({ secrets: { ca } })).judged).toMatchObject({ is: 'ready' });
  expect(server.requests).toMatchObject([{ client: 'reader', status: 200 }]);
  expect((await look()).judged).toMatchObject({ is: 'failed', reason: 'AuthenticationFailed' });
  const half = await look({ secrets: { ca: { 'ca.crt': authority.caPem, 'tls.crt': certificatePem } } });
  expect(half.judged).toMatchObject({ is: 'failed', message: expect.stringContaining('tls.crt and tls.key together') });
});

test('D8: an index over 50 MiB is cut while it comes, packed or not', async () => {
  const line = `${'#'.repeat(1_023)}\n`;
  server.rules.intercept = (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(line.repeat(52 * 1_024)));
    return true;
  };
  expect((await look()).judged).toMatchObject({ is: 'failed', reason: 'Failed', message: expect.stringMatching(/52428800/) });
  server.rules.intercept = (_request, response) => {
    response.writeHead(200);
    const more = (): void => void (response.writable && response.write(line.repeat(64), more));
    more();
    return true;
  };
  expect((await look()).judged).toMatchObject({ is: 'failed', reason: 'Failed', message: expect.stringMatching(/52428800/) });
  expect(await readdir(parts.workDir)).toEqual([]);
});

test('G1, B10: private addresses are refused, also by redirect; a redirect takes no credential along', async () => {
  const strict = { ...parts, ...openChartParts(folder(), []) };
  for (const url of ['https://127.0.0.1', 'https://169.254.169.254', 'https://[::1]', 'https://0x7f.1', `${server.url}/charts`]) {
    const run = await runPass(strict, kind, { spec: { url } });
    expect(run.judged).toMatchObject({ is: 'stalled', reason: 'AccessDenied' });
  }
  await strict.close();
  expect(server.requests).toEqual([]);
  const stranger = await startChartServer(authority);
  stranger.files.set('/index.yaml', index);
  server.rules.intercept = (_request, response) => {
    response.writeHead(302, { location: `${stranger.url}/index.yaml` }).end();
    return true;
  };
  const login = { username: 'user', password: 'canary' };
  const run = await look({ spec: spec({ secretRef: { name: 'login' }, passCredentials: true }), secrets: { login } });
  expect(run.judged).toMatchObject({ is: 'ready' });
  expect(server.requests[0]?.authorization).toContain('Basic ');
  expect(stranger.requests).toMatchObject([{ authorization: undefined, status: 200 }]);
  await stranger.close();
});

test.each([
  [{ url: 'oci://registry.test/charts' }, 'stalled', 'URLInvalid'],
  [{ url: 'https://' }, 'stalled', 'URLInvalid'],
  [{ url: 'http://charts.test' }, 'stalled', 'AccessDenied'],
  [{ url: 'oci://registry.test/charts', type: 'oci', provider: 'aws' }, 'stalled', 'UnsupportedField'],
])('%j is %s with %s', async (over, is, reason) => {
  expect((await look({ spec: { ...over } })).judged).toMatchObject({ is, reason });
});

test('plain http is taken from a host that the operator lists, and from no other', async () => {
  const plain = createServer((_request, response) => void response.end(index));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(plain.address() as AddressInfo).port}`;
  const given = { spec: { url: `http://${host}/charts` } };
  expect((await runPass({ ...parts, allowHttpHosts: [host] }, kind, given)).judged).toMatchObject({ is: 'ready' });
  for (const allowHttpHosts of [[], ['127.0.0.1'], ['elsewhere.test']])
    expect((await runPass({ ...parts, allowHttpHosts }, kind, given)).judged).toMatchObject({ is: 'stalled', reason: 'AccessDenied' });
  plain.closeAllConnections();
  await new Promise<void>((resolve) => void plain.close(() => resolve()));
});

test('type oci is ready by existing; what an HTTP index left behind goes', async () => {
  const first = await look();
  const oci = await look({ status: first.status, generation: 2, spec: { url: 'oci://registry.test/charts', type: 'oci' } });
  expect(oci.judged).toMatchObject({ is: 'ready', message: 'Helm repository is ready' });
  expect(oci.status).toMatchObject({ observedGeneration: 2, conditions: [{ type: 'Ready', status: 'True' }] });
  expect(Object.keys(oci.status).toSorted()).toEqual(['conditions', 'observedGeneration']);
});

test('the versions of a chart come from the stored index, with absolute addresses', async () => {
  const { status } = await look();
  const digest = textAt(status, 'artifact', 'digest') ?? '';
  const charts = chartsOf(parts);
  const versions = await charts.versionsOf({ digest, repositoryUrl: `${server.url}/charts` }, 'podinfo', never);
  expect(versions.map(({ version }) => version)).toEqual(['2.0.0-rc.1', '1.1.0+build.5', '1.1.0', '1.0.0']);
  expect(versions[3]).toMatchObject({ url: `${server.url}/charts/podinfo-1.0.0.tgz`, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await charts.versionsOf({ digest, repositoryUrl: server.url }, 'other', never)).toEqual([]);
});

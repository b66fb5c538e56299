import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSigstore } from '#adapters/sigstore/sigstore.ts';
import { conditionOf } from '#core/conditions.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import type { StoredObject } from '#core/store.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { FLUX_LAYER, openPusher } from '#tests/oci/push.ts';
import { pushSignatures, signer, signTag } from '#tests/oci-repository/sign.ts';
import { ISSUER, openSigstore, RELEASER } from '#tests/sigstore/authority.ts';
import { keylessLayer } from '#tests/sigstore/signatures.ts';
import { chartYaml, type HelmTool, mapTemplate, openHelmTool, writeTree } from './helm-tool.ts';
import { type ChartParts, type Given, never, openChartParts, type Pass, runPass, storedObject } from './passes.ts';

const children = useChildren('file');
const folder = useTemporaryDir('file');
const kind = runnable(helmChartKind);
let server: RegistryServer;
let caPem: string;
let caFile: string;
let parts: ChartParts;
let helm: HelmTool;

beforeAll(async () => {
  const { registry: program } = await loadToolPaths({ only: ['registry'] });
  if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
  const authority = await openLocalAuthority(join(folder(), 'ca'), 'chart registry tests');
  [caPem, caFile] = [authority.certificatePem, authority.certificateFile];
  server = await startRegistry(children, { dir: join(folder(), 'registry'), program, authority });
  helm = await openHelmTool(join(folder(), 'home'));
  parts = openChartParts(folder());
  for (const version of ['1.0.0', '1.1.0+build.7', '2.0.0-rc.1']) await push(version);
});
afterAll(async () => {
  await parts.close();
  await server.stop();
});

/** Packs and pushes a version with the real helm. */
async function push(version: string): Promise<void> {
  const chart = join(folder(), version);
  const files = { 'values.yaml': 'colour: red\n', 'prod.yaml': 'colour: blue\n', 'templates/map.yaml': mapTemplate };
  await writeTree(chart, { 'Chart.yaml': chartYaml('app', version), ...files });
  await helm('package', chart, '--destination', folder());
  const login = ['--username', server.username, '--password', server.password, '--ca-file', caFile];
  await helm('push', join(folder(), `app-${version}.tgz`), `oci://${server.host}/team/charts`, ...login);
}

const secrets = (over: Readonly<Record<string, string>> = { username: server.username, password: server.password }) => ({
  ca: { 'ca.crt': caPem },
  login: over,
});
const repository = (over: JsonObject = {}): StoredObject => {
  const refs = { secretRef: { name: 'login' }, certSecretRef: { name: 'ca' } };
  const spec = { type: 'oci', url: `oci://${server.host}/team/charts`, timeout: '20s', ...refs, ...over };
  return storedObject('HelmRepository', 'repo', { body: { spec } });
};
const build = (over: JsonObject = {}, given: Partial<Given> = {}, source = repository()): Promise<Pass> => {
  const spec = { chart: 'app', interval: '1m', sourceRef: { kind: 'HelmRepository', name: 'repo' }, ...over };
  return runPass(parts, kind, { spec, objects: [source], secrets: secrets(), ...given });
};
const digestOf = ({ status }: Pass): string => textAt(status, 'artifact', 'digest') ?? '';
const template = async (pass: Pass): Promise<string> => helm('template', 'release', (await parts.store.open(digestOf(pass), never)).path);

test.each([
  ['*', '1.1.0+build.7'],
  ['1.0.x', '1.0.0'],
  ['>=1.0.0-0', '2.0.0-rc.1'],
  ['1.0.0', '1.0.0'],
  ['1.1.0+build.7', '1.1.0+build.7'],
])('a chart that helm pushed: version %j is %s', async (version, wanted) => {
  const run = await build({ version });
  expect(run.judged).toMatchObject({ is: 'ready', reason: 'ChartPullSucceeded', revision: wanted });
  expect(run.status).toMatchObject({ observedChartName: 'app' });
  expect(run.status['observedSourceArtifactRevision']).toBeUndefined();
  expect(await template(run)).toContain('colour: "red"');
});

test('the next look downloads nothing, and a version that is pushed follows', async () => {
  const first = await build({ version: '1.x' });
  const again = await build({ version: '1.x' }, { status: first.status });
  expect(again.acts).toEqual([]);
  expect(again.status).toEqual(first.status);
  await push('1.5.0');
  expect((await build({ version: '1.x' }, { status: first.status })).judged).toMatchObject({ is: 'ready', revision: '1.5.0' });
  // A version that is written out needs no registry once it is there.
  const exact = await build({ version: '1.0.0' });
  const away = await build({ version: '1.0.0' }, { status: exact.status }, repository({ url: 'oci://localhost:1/team/charts' }));
  expect(away.judged).toMatchObject({ is: 'ready' });
  expect(away.acts).toEqual([]);
  expect(await readdir(parts.workDir)).toEqual([]);
});

test('values files of the chart, and a registry Secret', async () => {
  const auth = Buffer.from(`${server.username}:${server.password}`).toString('base64');
  const login = { '.dockerconfigjson': JSON.stringify({ auths: { [server.host]: { auth } } }) };
  const run = await build({ version: '1.0.0', valuesFiles: ['prod.yaml'] }, { secrets: secrets(login), generation: 2 });
  expect(run.judged).toMatchObject({ is: 'ready', reason: 'ChartPackageSucceeded', revision: '1.0.0+2' });
  expect(await template(run)).toContain('colour: "blue"');
});

test('each way to fail has its reason, is tried again where a push can mend it, and keeps the last chart', async () => {
  const good = await build({ version: '1.0.0' });
  const expectKept = (run: Pass, is: string, reason: string): void => {
    expect(run.judged).toMatchObject({ is, reason });
    expect(at(run.status, 'artifact')).toEqual(at(good.status, 'artifact'));
    expect(conditionOf(run.status, 'FetchFailed')).toMatchObject({ status: 'True', reason });
  };
  const changed = { status: good.status, generation: 2 };
  expectKept(await build({ version: '9.9.9' }, changed), 'failed', 'ChartPullError');
  expectKept(await build({ version: '9.x' }, changed), 'failed', 'ChartPullError');
  expectKept(await build({ chart: 'none', version: '*' }, changed), 'failed', 'ChartPullError');
  expectKept(await build({ version: 'latest' }, changed), 'stalled', 'InvalidChartReference');
  expectKept(await build({ chart: '../other' }, changed), 'stalled', 'InvalidChartReference');
  expectKept(await build({ chart: 'app:1.0.0' }, changed), 'stalled', 'InvalidChartReference');
  const wrong = secrets({ username: 'weir', password: 'canary-wrong' });
  const refused = await build({ version: '*' }, { ...changed, secrets: wrong });
  expectKept(refused, 'failed', 'AuthenticationFailed');
  expect(JSON.stringify(refused)).not.toContain('canary');
  expectKept(await build({}, { ...changed, secrets: { ca: { 'ca.crt': caPem } } }), 'failed', 'AuthenticationFailed');
  expectKept(await build({}, changed, repository({ url: 'oci://localhost:1/x' })), 'failed', 'ChartPullError');
  expectKept(await build({}, changed, repository({ url: 'oci://10.0.0.1/x' })), 'stalled', 'AccessDenied');
  expectKept(await build({}, changed, repository({ insecure: true })), 'stalled', 'AccessDenied');
  expect((await build({}, {}, repository({ provider: 'aws' }))).judged).toMatchObject({ is: 'stalled', reason: 'UnsupportedField' });
});

test('J5: only what a key of the Secret signed is taken, and the digest that was signed is what is stored', async () => {
  const [mine, other] = [signer(), signer()];
  const pusher = openPusher({ ...server, caPem });
  const keys = (publicPem: string) => ({ secrets: { ...secrets(), keys: { 'cosign.pub': publicPem } } });
  const verify = { provider: 'cosign', secretRef: { name: 'keys' } };
  const spec = { version: '1.0.0', verify };
  const unsigned = await build(spec, keys(mine.publicPem));
  expect(unsigned.judged).toMatchObject({
    is: 'failed',
    reason: 'ChartVerificationError',
    message: expect.stringContaining('no matching'),
  });
  expect(conditionOf(unsigned.status, 'BuildFailed')).toMatchObject({ status: 'True', reason: 'ChartVerificationError' });
  expect(conditionOf(unsigned.status, 'SourceVerified')).toMatchObject({ status: 'False', reason: 'VerificationError' });
  expect(unsigned.status['artifact']).toBeUndefined();
  const remote = {
    host: server.host,
    repository: 'team/charts/app',
    insecure: false,
    credential: { is: 'basic', username: server.username, password: server.password },
    caPem,
    clientCertificate: null,
  } as const;
  const digest = await parts.registry.resolve(remote, '1.0.0', { timeoutMs: 20_000 }, never);
  await signTag(pusher, 'team/charts/app', digest, mine);
  await pusher.close();
  const signed = await build(spec, { ...keys(mine.publicPem), status: unsigned.status });
  expect(signed.judged).toMatchObject({ is: 'ready', revision: '1.0.0' });
  expect(conditionOf(signed.status, 'SourceVerified')).toMatchObject({ status: 'True', message: 'verified signature of version 1.0.0' });
  expect(conditionOf(signed.status, 'BuildFailed')).toBeNull();
  expect((await build(spec, { ...keys(mine.publicPem), status: signed.status })).acts).toEqual([]);
  // Another key, another version, no Secret: the chart that is there stays.
  for (const [given, over] of [
    [keys(other.publicPem), spec],
    [keys(mine.publicPem), { ...spec, version: '2.0.0-rc.1' }],
    [{ secrets: secrets() }, spec],
    [keys('canary'), spec],
  ] as const) {
    const refused = await build(over, { ...given, status: signed.status, generation: 2 });
    expect(refused.judged).toMatchObject({ is: 'failed', reason: 'ChartVerificationError' });
    expect(conditionOf(refused.status, 'SourceVerified')).toMatchObject({ status: 'False' });
    expect(at(refused.status, 'artifact')).toEqual(at(signed.status, 'artifact'));
    expect(JSON.stringify(refused)).not.toContain('canary');
  }
  const plain = await build({ version: '1.0.0' }, { status: signed.status, generation: 2 });
  expect(conditionOf(plain.status, 'SourceVerified')).toBeNull();
});

test('a keyless signature counts below the root of the operator, for an identity that is asked for', async () => {
  const sigstore = await openSigstore();
  const remote = {
    host: server.host,
    repository: 'team/charts/app',
    insecure: false,
    credential: { is: 'basic', username: server.username, password: server.password },
    caPem,
    clientCertificate: null,
  } as const;
  const digest = await parts.registry.resolve(remote, '1.1.0_build.7', { timeoutMs: 20_000 }, never);
  const pusher = openPusher({ ...server, caPem });
  await pushSignatures(pusher, 'team/charts/app', digest, [keylessLayer(sigstore, await sigstore.signer(), digest)]);
  await pusher.close();
  const trusting = { ...parts, sigstore: createSigstore({ file: 'root.json', json: sigstore.trustedRoot() }) };
  const look = (given: ChartParts, subject: string): Promise<Pass> => {
    const verify = { provider: 'cosign', matchOIDCIdentity: [{ issuer: ISSUER, subject }] };
    const spec = { chart: 'app', interval: '1m', sourceRef: { kind: 'HelmRepository', name: 'repo' }, version: '1.1.0+build.7', verify };
    return runPass(given, kind, { spec, objects: [repository()], secrets: secrets() });
  };
  const signed = await look(trusting, RELEASER);
  expect(signed.judged).toMatchObject({ is: 'ready' });
  expect(conditionOf(signed.status, 'SourceVerified')).toMatchObject({ status: 'True' });
  for (const [given, subject, words] of [
    [trusting, 'https://github.example/acme', 'is none that is asked for'],
    [parts, RELEASER, 'WEIR_SIGSTORE_TRUSTED_ROOT'],
  ] as const) {
    const refused = await look(given, subject);
    expect(refused.judged).toMatchObject({ is: 'failed', reason: 'ChartVerificationError', message: expect.stringContaining(words) });
    expect(refused.status['artifact']).toBeUndefined();
  }
});

test.each([
  [{ provider: 'notation', secretRef: { name: 'keys' } }, 'notation'],
  [{ provider: 'cosign' }, 'would trust whoever signed'],
  [{ provider: 'cosign', secretRef: { name: 'keys' }, matchOIDCIdentity: [{ issuer: 'i', subject: 's' }] }, 'matchOIDCIdentity'],
])('verify %j is not served, and said', async (verify, text) => {
  const run = await build({ version: '1.0.0', verify });
  expect(run.judged).toMatchObject({ is: 'stalled', reason: 'UnsupportedField', message: expect.stringContaining(text) });
});

test('what is in the registry under that name and is no chart is refused', async () => {
  const pusher = openPusher({ ...server, caPem });
  await pusher.push('team/charts/flux', '1.0.0', [{ mediaType: FLUX_LAYER, bytes: Buffer.from('layer') }]);
  const broken = { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', bytes: Buffer.from('no archive') };
  await pusher.push('team/charts/broken', '1.0.0', [broken]);
  await pusher.close();
  for (const chart of ['flux', 'broken'])
    expect((await build({ chart, version: '1.0.0' })).judged).toMatchObject({ is: 'failed', reason: 'ChartPullError' });
});

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHelm, type Helm, type ReleaseCluster } from '#adapters/helm/helm.ts';
import { asFailed, isLocked, readRecord } from '#adapters/helm/storage.ts';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import type { HelmAction } from '#core/helm.ts';
import type { JsonObject } from '#core/json.ts';
import { isObject } from '#core/json.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { field, never, onboard, type Tenant, until } from '#tests/cluster/tenant.ts';
import { type SharedCluster, testCluster } from '#tests/harness/parts.ts';

const run = promisify(execFile);
let root: string;
let helm: Helm;
let program: string;
let shared: SharedCluster;
let tenant: Tenant;
let place: ReleaseCluster;
let chartPath: string;

const wait = { timeoutMs: 20_000, disableHooks: false, disableWait: false, disableWaitForJobs: false, waitStrategy: 'poller' } as const;
const apply = { ...wait, disableOpenAPIValidation: false, disableSchemaValidation: false, disableTakeOwnership: false, skipCrds: false };
const install: HelmAction = { ...apply, do: 'install', replace: false, createNamespace: false, serverSideApply: true };
const upgrade: HelmAction = {
  ...apply,
  do: 'upgrade',
  preserveValues: false,
  force: false,
  cleanupOnFail: false,
  serverSide: 'auto',
  maxHistory: 5,
};
const rollback: HelmAction = { ...wait, do: 'rollback', to: 1, force: false, cleanupOnFail: false, serverSide: 'auto', maxHistory: 5 };
const uninstall: HelmAction = {
  do: 'uninstall',
  timeoutMs: 20_000,
  disableHooks: false,
  disableWait: false,
  keepHistory: false,
  cascade: 'background',
};

const configMap = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  colour: {{ .Values.colour | quote }}
  looked: {{ lookup "v1" "ConfigMap" .Release.Namespace "seen" | len | quote }}
  resolved: {{ getHostByName "localhost" | quote }}
  revision: {{ .Release.Revision | quote }}
{{- if .Values.broken }}
immutable: "not a boolean"
{{- end }}
`;
const hook = `apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations: {helm.sh/hook: post-delete}
{{- if .Values.hang }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: never-ends
  annotations: {helm.sh/hook: pre-upgrade}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: example.invalid/a}]
{{- end }}
`;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-helm-'));
  const tools = await loadToolPaths({ only: ['helm', 'helmInside', 'bwrap'] });
  program = tools.helm;
  const workDir = join(root, 'work');
  await mkdir(workDir);
  const sandbox = await createSandbox({ mode: 'bwrap', bwrap: tools.bwrap, workDir: join(root, 'sandbox'), signal: never });
  helm = createHelm({ sandbox, helm: program, inside: tools.helmInside, workDir, connectLookup: null });
  shared = await testCluster();
  tenant = await onboard(shared);
  const minted = await tenant.admin.must(
    'POST',
    `/api/v1/namespaces/${tenant.account.namespace}/serviceaccounts/${tenant.account.name}/token`,
    {
      spec: { expirationSeconds: 3600 },
    },
  );
  const token = field(field(minted.body, 'status'), 'token');
  if (typeof token !== 'string') throw new Error('no token');
  place = { server: shared.server, caPem: shared.caPem, credential: { is: 'token', token }, cacheKey: 'test' };
  const chart = join(root, 'chart');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: "7"\n');
  await writeFile(join(chart, 'values.yaml'), 'colour: red\n');
  await writeFile(join(chart, 'templates', 'map.yaml'), configMap);
  await writeFile(join(chart, 'templates', 'hook.yaml'), hook);
  chartPath = join(root, 'demo-1.2.3.tgz');
  await run(program, ['package', chart, '-d', root]);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** The real helm with the administrator's kubeconfig, beside Weir. */
async function byHand(...args: readonly string[]): Promise<string> {
  const done = await run(program, [...args, '--namespace', tenant.namespace, '--kubeconfig', shared.adminKubeconfigPath]);
  return done.stdout;
}

async function liveData(name: string): Promise<unknown> {
  return field((await tenant.admin.call('GET', `/api/v1/namespaces/${tenant.namespace}/configmaps/${name}`)).body, 'data');
}

async function recordSecret(name: string, version: number): Promise<Readonly<{ path: string; secret: JsonObject }>> {
  const path = `/api/v1/namespaces/${tenant.namespace}/secrets/sh.helm.release.v1.${name}.v${version}`;
  const { body } = await tenant.admin.must('GET', path);
  if (!isObject(body)) throw new Error('no record');
  return { path, secret: body };
}

const values = (more: JsonObject = {}) => ({
  chartPath,
  values: { colour: 'blue', ...more },
  labels: { 'weir.dev/delivery': 'd1' },
  postRender: async (text: string) => text,
});
const named = (name: string) => ({ name, namespace: tenant.namespace });

test('template lists every object with hooks, without network: lookup is empty and no name resolves', async () => {
  const text = await helm.template(
    named('shown'),
    values(),
    { kubeVersion: '1.37.2', apiVersions: [], isUpgrade: false, disableSchemaValidation: false, timeoutMs: 20_000 },
    never,
  );
  expect(text).toContain('colour: "blue"');
  expect(text).toContain('looked: "0"');
  expect(text).toContain('resolved: ""');
  expect(text).toContain('helm.sh/hook: post-delete');
});

test('install, upgrade, failed upgrade, rollback and uninstall are real releases that helm itself shows', async () => {
  await tenant.admin.must('POST', `/api/v1/namespaces/${tenant.namespace}/configmaps`, { metadata: { name: 'seen' }, data: { a: 'b' } });
  const installed = await helm.perform(named('app'), place, values(), install, never);
  expect(installed).toMatchObject({ name: 'app', version: 1, info: { status: 'deployed' } });
  // `lookup` sees what the tenant's token may see; names still do not resolve.
  expect(await liveData('app')).toEqual({ colour: 'blue', looked: expect.not.stringMatching(/^0$/), resolved: '', revision: '1' });
  const upgraded = await helm.perform(named('app'), place, values({ colour: 'green' }), upgrade, never);
  expect(upgraded).toMatchObject({ version: 2, info: { status: 'deployed' }, apply_method: 'ssa' });
  await expect(helm.perform(named('app'), place, values({ broken: true }), upgrade, never)).rejects.toMatchObject({
    code: 'clusterAnswer',
    message: expect.stringMatching(/^helm upgrade failed: .*immutable/i),
  });
  await helm.perform(named('app'), place, null, rollback, never);
  expect(await liveData('app')).toMatchObject({ colour: 'blue', revision: '1' });
  const history: unknown = JSON.parse(await byHand('history', 'app', '--output', 'json'));
  expect(Array.isArray(history) ? history.map((one) => field(one, 'status')) : []).toEqual([
    'superseded',
    'superseded',
    'failed',
    'deployed',
  ]);
  expect(await byHand('ls')).toMatch(/app\s.*demo-1\.2\.3/);
  await helm.perform(named('app'), place, null, uninstall, never);
  expect(await liveData('app')).toBeUndefined();
  expect(await byHand('ls')).not.toContain('demo-1.2.3');
  await helm.perform(named('app'), place, null, uninstall, never);
});

test('a release made by helm is upgraded as it is', async () => {
  await byHand('install', 'theirs', chartPath);
  expect(readRecord((await recordSecret('theirs', 1)).secret)).toMatchObject({
    name: 'theirs',
    version: 1,
    status: 'deployed',
    namespace: tenant.namespace,
  });
  expect(await helm.perform(named('theirs'), place, values(), upgrade, never)).toMatchObject({ version: 2 });
});

test('helm killed in the middle leaves a locked release, which goes on once its record is marked as failed', async () => {
  await helm.perform(named('locked'), place, values(), install, never);
  const abort = new AbortController();
  const cut = helm.perform(named('locked'), place, values({ hang: true }), upgrade, abort.signal).catch((error: unknown) => error);
  await until(async () => (await tenant.admin.call('GET', `/apis/batch/v1/namespaces/${tenant.namespace}/jobs/never-ends`)).status === 200);
  abort.abort(new Error('stopped'));
  expect(String(await cut)).toContain('stopped');
  expect(await readdir(join(root, 'work')), 'nothing of the run is left').toEqual(['api-cache']);
  const { path, secret } = await recordSecret('locked', 2);
  expect(isLocked(readRecord(secret))).toBe(true);
  await expect(helm.perform(named('locked'), place, values(), upgrade, never)).rejects.toMatchObject({
    message: expect.stringMatching(/in progress/),
  });
  await tenant.admin.must('PUT', path, asFailed(secret, 'interrupted'));
  expect(await helm.perform(named('locked'), place, values(), upgrade, never)).toMatchObject({ version: 3, info: { status: 'deployed' } });
});

test('everything that helm is about to apply, hooks included, passes the post-renderer, which may change it or refuse all of it', async () => {
  const seen: string[] = [];
  const changed = {
    ...values(),
    postRender: async (text: string) => {
      seen.push(text);
      return text.replaceAll('"blue"', '"patched"');
    },
  };
  await helm.perform(named('patched'), place, changed, install, never);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toContain('helm.sh/hook: post-delete');
  expect(await liveData('patched')).toMatchObject({ colour: 'patched' });
  expect(await byHand('get', 'manifest', 'patched')).toContain('patched');
  const { secret } = await recordSecret('patched', 1);
  expect(field(field(field(secret, 'metadata'), 'labels'), 'weir.dev/delivery')).toBe('d1');
  const refusal = new Error('not this list');
  const refused = { ...values(), postRender: () => Promise.reject(refusal) };
  expect(await helm.perform(named('refused'), place, refused, install, never).catch((error: unknown) => error)).toBe(refusal);
  expect(await liveData('refused')).toBeUndefined();
  expect(await byHand('ls')).not.toContain('refused');
});

test('the tenant’s token is all that a release has: another namespace is refused, and the token is in no message', async () => {
  const failed: unknown = await helm
    .perform({ name: 'away', namespace: 'kube-system' }, place, values(), install, never)
    .catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'clusterAnswer', message: expect.stringMatching(/forbidden/) });
  const secret = place.credential.is === 'token' ? place.credential.token : place.credential.keyPem;
  expect(String(failed)).not.toContain(secret.slice(0, 20));
});

test('what helm read of the cluster’s kinds is lent to the next run under the same key, which reads nothing new, and to no other', async () => {
  const cache = join(root, 'work', 'api-cache');
  await mkdir(cache, { recursive: true });
  const before = await readdir(cache);
  const kept = async () => (await readdir(cache)).filter((one) => !before.includes(one));
  const release = async (name: string, cacheKey: string) => {
    await helm.perform(named(name), { ...place, cacheKey }, values(), install, never);
    return await kept();
  };
  const [first = ''] = await release('first', 'mine');
  expect((await readdir(join(cache, first))).length).toBeGreaterThan(2);
  expect(await release('second', 'mine'), 'a new answer would have made a new folder').toEqual([first]);
  expect(await release('other', 'other')).toHaveLength(2);
});

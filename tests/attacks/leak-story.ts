import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { isObject, type JsonObject, textAt } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import { callPlane, expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import type { GitServer } from '#deploy/local/git-server.ts';
import { resources } from '#kinds/registry.ts';
import type { Canaries } from '#tests/attacks/canaries.ts';
import type { Recording } from '#tests/attacks/recorded-calls.ts';
import { make, object, pathOf, settled, type Told } from '#tests/attacks/two-tenants.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';

/** What observer R plays with. `told` is filled with what each object of the story came to say. */
export type Stage = Readonly<{
  plane: SharedAttackPlane;
  git: GitServer;
  calls: Recording;
  canaries: Canaries;
  dir: string;
  marker: string;
  told: Record<string, Told>;
}>;

const run = promisify(execFile);

/** A machine that writes Secrets and Kustomizations and reads neither: what an editor is, with fewer rights still. */
export async function makeRobot(stage: Pick<Stage, 'plane' | 'canaries'>): Promise<PlaneUser> {
  const { plane, canaries } = stage;
  const { alice } = plane.people;
  const made = await make(alice, 'AccessToken', 'team-a', 'r-robot', {
    spec: {
      verbs: {
        secrets: ['create', 'update', 'patch'],
        kustomizations: ['create', 'patch'],
        'kustomizations/diff': ['create'],
        configmaps: ['get', 'list'],
      },
      expiresAt: rfc3339(Date.now() + 3_600_000),
    },
  });
  const token = textAt(made, 'status', 'token') ?? '';
  canaries.adopt('access-token', token.slice(-24));
  return { ...alice, token };
}

export const isOfThePlane = (label: string): boolean => /^(kek|api|database-|authority-|redis|environment|id-token-)/.test(label);

/** What was secret before anybody came. */
async function adoptSecrets(stage: Stage): Promise<void> {
  const { plane, canaries } = stage;
  for (const file of ['kek', 'database-app', 'database-scheduler', 'api'])
    canaries.adopt(file, (await readFile(join(plane.stateDir, 'keys', file), 'utf8')).trim().split('\n').at(-1)?.slice(-40) ?? '');
  const key = await readFile(join(plane.stateDir, 'ca', 'ca.pem'), 'utf8');
  canaries.adopt('authority-key', key.trim().split('\n').at(-3) ?? '');
  canaries.adopt('database-owner', decodeURIComponent(new URL(plane.databaseUrl).password));
  canaries.adopt('redis', decodeURIComponent(new URL(plane.redisUrl).password));
  canaries.adopt('environment', plane.environmentCanary);
  for (const [who, { token }] of Object.entries(plane.people)) canaries.adopt(`id-token-${who}`, token.split('.')[2] ?? '');
}

/** Logins of repositories, webhook tokens, values to be substituted, kubeconfigs; team-b has its own. */
async function plantSecrets(stage: Stage): Promise<void> {
  const { plane, git, canaries } = stage;
  const { alice, bob } = plane.people;
  const secret = (name: string, stringData: JsonObject, who = alice, namespace = 'team-a') =>
    make(who, 'Secret', namespace, name, { stringData });
  const authority = { 'ca.crt': alice.caPem };
  const password = canaries.plant('git-password');
  const bearerToken = canaries.plant('git-bearer');
  await git.createRepository('r-basic', {
    access: { readers: 'credentials', credentials: [{ scheme: 'basic', username: 'r', password, mayPush: false }] },
    files: repositoryFiles(stage),
  });
  await git.createRepository('r-bearer', {
    access: { readers: 'credentials', credentials: [{ scheme: 'bearer', token: bearerToken, mayPush: false }] },
    files: { 'a.yaml': '' },
  });
  await secret('r-basic', { username: 'r', password, ...authority });
  await secret('r-basic-wrong', { username: 'r', password: canaries.plant('git-password-wrong'), ...authority });
  await secret('r-bearer', { bearerToken, ...authority });
  await secret('r-bearer-wrong', { bearerToken: canaries.plant('git-bearer-wrong'), ...authority });
  await secret('r-hook', { token: canaries.plant('webhook-token') });
  await secret('r-values', {
    password: canaries.plant('substituted'),
    label: `${canaries.plant('substituted-label')} is no label!`,
    port: canaries.plant('substituted-port'),
    broken: `"${canaries.plant('substituted-broken')}`,
    place: canaries.plant('substituted-namespace'),
  });
  await make(alice, 'Secret', 'team-a', 'r-data', { data: { password: Buffer.from(canaries.plant('data')).toString('base64') } });
  await secret('r-string-data', { password: canaries.plant('string-data') });
  await secret('r-theirs', { password: canaries.plant('other-tenant') }, bob, 'team-b');
  await secret('r-kubeconfig-exec', {
    value: kubeconfig(stage, {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'true', args: [canaries.plant('kubeconfig-exec')] },
    }),
  });
  await secret('r-kubeconfig-wrong', { value: kubeconfig(stage, { token: canaries.plant('kubeconfig-token') }) });
}

function kubeconfig(stage: Stage, user: JsonObject): string {
  const { plane } = stage;
  const [east] = plane.clusters;
  const cluster = { server: east?.server ?? '', 'certificate-authority-data': Buffer.from(east?.caPem ?? '').toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

function repositoryFiles(stage: Stage): Readonly<Record<string, string>> {
  const { canaries, marker } = stage;
  const manifest = (kind: string, name: string, rest: string): string =>
    `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n${rest}`;
  return {
    'ok/map.yaml': manifest('ConfigMap', 'r-ok', `data:\n  password: \${password}\n  marker: ${marker}\n`),
    'ok/secret.yaml': manifest('Secret', 'r-ok', 'stringData:\n  password: ${password}\n'),
    'label/map.yaml': manifest('ConfigMap', 'r-label', '  labels:\n    x: "${label}"\ndata: {}\n'),
    'port/service.yaml': manifest('Service', 'r-port', 'spec:\n  ports:\n    - port: ${port}\n'),
    'broken/map.yaml': manifest('ConfigMap', 'r-broken', 'data:\n  a: ${broken}\n'),
    'place/map.yaml': manifest('ConfigMap', 'r-place', '  namespace: ${place}\ndata: {}\n'),
    'rejected/secret.yaml': manifest(
      'Secret',
      'r-rejected',
      `type: kubernetes.io/tls\nstringData:\n  note: ${canaries.plant('manifest-in-git')}\n`,
    ),
  };
}

export async function tellStory(stage: Stage): Promise<void> {
  await adoptSecrets(stage);
  await plantSecrets(stage);
  await Promise.all([sources(stage), webhooks(stage), kubectlApplies(stage), clusterCredential(stage), tokens(stage)]);
  await definitions(stage);
  await writesWithoutReading(stage);
  await readEverything(stage);
}

const repository = (url: string, secret: string | null): JsonObject => ({
  spec: { url, interval: '10m', ref: { branch: 'main' }, ...(secret === null ? {} : { secretRef: { name: secret } }) },
});

async function sources(stage: Stage): Promise<void> {
  const { plane, git, calls, canaries, told } = stage;
  const { alice } = plane.people;
  for (const [name, repo] of [
    ['r-basic', 'r-basic'],
    ['r-basic-wrong', 'r-basic'],
    ['r-bearer', 'r-bearer'],
    ['r-bearer-wrong', 'r-bearer'],
  ] as const)
    await make(alice, 'GitRepository', 'team-a', name, repository(git.urlOf(repo), name));
  const inUrl = git.urlOf('r-basic').replace('https://', `https://r:${canaries.plant('url-password')}@`);
  await calls.ask('alice', pathOf('GitRepository', 'team-a'), {
    method: 'POST',
    body: object('GitRepository', 'team-a', 'r-url', repository(inUrl, null)),
  });
  for (const name of ['r-basic', 'r-basic-wrong', 'r-bearer', 'r-bearer-wrong'])
    told[name] = await settled(alice, 'GitRepository', 'team-a', name);
}

async function webhooks(stage: Stage): Promise<void> {
  const { plane, calls, canaries } = stage;
  const { alice } = plane.people;
  await make(alice, 'Receiver', 'team-a', 'r-hook', {
    spec: { type: 'generic-hmac', secretRef: { name: 'r-hook' }, resources: [{ kind: 'GitRepository', name: 'r-basic' }] },
  });
  const path = await until('webhook path', 20_000, 100, async () => {
    const found = await expectPlane(alice, 'GET', pathOf('Receiver', 'team-a', 'r-hook'));
    return textAt(found, 'status', 'webhookPath') ?? null;
  });
  const body = '{"a":1}';
  const signature = createHmac('sha256', canaries.plant('webhook-wrong-key')).update(body).digest('hex');
  for (const headers of [
    { 'x-signature': `sha256=${signature}` },
    { 'x-signature': canaries.plant('webhook-signature') },
    { authorization: `Bearer ${canaries.plant('webhook-bearer')}` },
  ])
    expect((await calls.ask('stranger', path, { method: 'POST', body, headers })).status).toBe(400);
  expect((await calls.ask('stranger', `/hook/${'0'.repeat(64)}`, { method: 'POST', body })).status).toBe(404);
}

/** kubectl writes the whole Secret into an annotation. */
async function kubectlApplies(stage: Stage): Promise<void> {
  const { plane, canaries, dir } = stage;
  const { alice } = plane.people;
  const file = join(dir, 'secret.json');
  for (const value of [canaries.plant('applied'), canaries.plant('applied-again')]) {
    await writeFile(file, JSON.stringify(object('Secret', 'team-a', 'r-applied', { stringData: { password: value } })));
    await run(plane.kubectl, ['--kubeconfig', alice.kubeconfig, '--cache-dir', join(dir, 'cache'), 'apply', '-f', file], {
      env: { HOME: dir },
    });
  }
}

async function clusterCredential(stage: Stage): Promise<void> {
  const { plane, calls, canaries } = stage;
  const { alice } = plane.people;
  const [east] = plane.clusters;
  await make(alice, 'Cluster', 'team-a', 'r-own', { spec: { server: east?.server ?? '', caBundle: east?.caPem ?? '' } });
  await calls.ask('alice', `${pathOf('Cluster', 'team-a', 'r-own')}/credentials`, {
    method: 'POST',
    body: { token: canaries.plant('bootstrap-token'), expiresAt: rfc3339(Date.now() + 3_600_000) },
  });
}

async function tokens(stage: Stage): Promise<void> {
  const { plane, calls, canaries } = stage;
  const { alice } = plane.people;
  const accounts = '/api/v1/namespaces/team-a/serviceaccounts';
  await expectPlane(alice, 'POST', accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'r-account' } });
  const made = await expectPlane(alice, 'POST', `${accounts}/r-account/token`, {});
  canaries.adopt('service-account-token', textAt(made, 'status', 'token')?.slice(-24) ?? '');
  for (const headers of [
    { authorization: `Bearer ${canaries.plant('wrong-token')}` },
    { authorization: `Basic ${Buffer.from(canaries.plant('wrong-basic')).toString('base64')}` },
  ])
    expect((await calls.ask('stranger', '/api/v1/namespaces', { headers })).status).toBe(401);
}

async function definitions(stage: Stage): Promise<void> {
  const { plane, marker, told } = stage;
  const { alice } = plane.people;
  await make(alice, 'Placement', 'team-a', 'r', {
    spec: { definitions: { kinds: ['Kustomization'], selector: { matchLabels: { case: 'r' } } }, clusters: { names: ['east'] } },
  });
  for (const path of ['ok', 'label', 'port', 'broken', 'place', 'rejected'])
    await make(alice, 'Kustomization', 'team-a', `r-${path}`, kustomization(`./${path}`, {}), { labels: { case: 'r' } });
  for (const name of ['exec', 'wrong'])
    await make(
      alice,
      'Kustomization',
      'team-a',
      `r-kubeconfig-${name}`,
      kustomization('./ok', { kubeConfig: { secretRef: { name: `r-kubeconfig-${name}` } } }),
    );
  for (const name of ['r-ok', 'r-label', 'r-port', 'r-broken', 'r-place', 'r-rejected', 'r-kubeconfig-exec', 'r-kubeconfig-wrong'])
    told[name] = await settled(alice, 'Kustomization', 'team-a', name);
  // A full look compares every object by a dry run.
  const asked = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': marker } } };
  await expectPlane(alice, 'PATCH', pathOf('Kustomization', 'team-a', 'r-ok'), asked, 'application/merge-patch+json');
  await until('the full look', 20_000, 100, async () => {
    const found = await expectPlane(alice, 'GET', pathOf('Kustomization', 'team-a', 'r-ok'));
    return textAt(found, 'status', 'lastHandledReconcileAt') === marker ? true : null;
  });
}

function kustomization(path: string, more: JsonObject): JsonObject {
  const substituteFrom = [{ kind: 'Secret', name: 'r-values' }];
  return {
    spec: {
      interval: '10m',
      prune: true,
      path,
      sourceRef: { kind: 'GitRepository', name: 'r-basic' },
      postBuild: { substituteFrom },
      ...more,
    },
  };
}

/** Answers to writes by somebody who may not read, good and bad ones. */
async function writesWithoutReading(stage: Stage): Promise<void> {
  const { calls, canaries } = stage;
  const path = pathOf('Secret', 'team-a', 'r-data');
  const labels = { metadata: { labels: { touched: 'yes' } } };
  const write = (more: JsonObject): JsonObject => object('Secret', 'team-a', 'r-new', more);
  await calls.ask('robot', path, { method: 'PATCH', body: labels });
  await calls.ask('robot', `${path}?dryRun=All`, { method: 'PATCH', body: { stringData: { more: canaries.plant('dry-run') } } });
  await calls.ask('robot', `${pathOf('Secret', 'team-a')}?dryRun=All`, {
    method: 'POST',
    body: write({ stringData: { a: canaries.plant('dry-run-create') } }),
  });
  await calls.ask('robot', pathOf('Secret', 'team-a'), { method: 'POST', body: write({ data: { a: `${canaries.plant('no-base64')}!` } }) });
  await calls.ask('robot', `${pathOf('Secret', 'team-a')}?fieldValidation=Strict`, {
    method: 'POST',
    body: write({ stringdata: { a: canaries.plant('misspelt') } }),
  });
  await calls.ask('robot', pathOf('Secret', 'team-a'), {
    method: 'POST',
    body: `{"kind":"Secret","stringData":{"a":"${canaries.plant('cut-body')}`,
  });
  const operations = [{ op: 'test', path: '/data/password', value: Buffer.from('a guess').toString('base64') }];
  await calls.ask('robot', path, { method: 'PATCH', body: operations, headers: { 'content-type': 'application/json-patch+json' } });
  const copy = [{ op: 'copy', from: '/data/password', path: '/metadata/annotations' }];
  await calls.ask('robot', path, { method: 'PATCH', body: copy, headers: { 'content-type': 'application/json-patch+json' } });
  // Another Secret is substituted: both what is there and what would be there came out of one.
  const proposed = kustomization('./ok', { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'r-string-data' }] } });
  const diff = await calls.ask('robot', `${pathOf('Kustomization', 'team-a', 'r-ok')}/diff`, {
    method: 'POST',
    body: object('Kustomization', 'team-a', 'r-ok', proposed, { labels: { case: 'r' } }),
  });
  expect(diff.status, diff.text).toBe(200);
  expect(diff.text).toContain('{"path":"data.password","from":"(value hidden)","to":"(value hidden)"}');
}

const forms = [
  'application/json',
  'application/yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
];

/** Every kind by everybody, in every form, as lists and as watches that begin before it all; and each object of the tenants by its name. */
async function readEverything(stage: Stage): Promise<void> {
  const { plane, calls } = stage;
  await Promise.all(['alice', 'vera', 'bob', 'pat', 'robot'].map((who) => readKinds(stage, who)));
  const { alice } = plane.people;
  for (const kind of ['Secret', 'GitRepository', 'Kustomization', 'Receiver', 'Delivery', 'AccessToken', 'Cluster']) {
    const { body } = await callPlane(alice, 'GET', pathOf(kind, 'team-a'));
    for (const one of Array.isArray(body['items']) ? body['items'] : [])
      for (const who of ['vera', 'bob', 'pat'])
        await calls.ask(who, pathOf(kind, 'team-a', isObject(one) ? (textAt(one, 'metadata', 'name') ?? '') : ''));
  }
  await calls.ask('vera', '/openapi/v3');
}

async function readKinds(stage: Stage, who: string): Promise<void> {
  const { calls } = stage;
  const watches: Promise<unknown>[] = [];
  for (const { group, version, plural, scope } of resources) {
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const places = scope === 'Cluster' ? [`${root}/${plural}`] : [`${root}/${plural}`, `${root}/namespaces/team-a/${plural}`];
    for (const place of places) await Promise.all(forms.map((accept) => calls.ask(who, place, { headers: { accept } })));
    watches.push(calls.ask(who, `${places.at(-1)}?watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`));
  }
  await Promise.all(watches);
}

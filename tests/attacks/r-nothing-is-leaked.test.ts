import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject, parseJson, textAt } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import { callPlane, expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import type { GitServer } from '#deploy/local/git-server.ts';
import { resources } from '#kinds/registry.ts';
import { newCanaries, type Sighting } from '#tests/attacks/canaries.ts';
import { filesBelow, postgresRows, redisKeys } from '#tests/attacks/open-stores.ts';
import { type Recording, recordCalls } from '#tests/attacks/recorded-calls.ts';
import { make, object, openGit, pathOf, settled, type Told } from '#tests/attacks/two-tenants.ts';
import { type ProcessWatch, watchProcesses } from '#tests/attacks/watched-processes.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { attackPlane } from '#tests/harness/parts.ts';

/**
 * Observer R: about forty secrets are planted, a day in the life of two tenants goes by, most of it wrong, and then every place is searched for them. Each search first finds a
 * harmless marker in the same place, so that none of them is blind.
 */
const run = promisify(execFile);
const children = useChildren('file');
const dir = useTemporaryDir('file');
const canaries = newCanaries();
const marker = `marker-${process.pid}-${Date.now()}`;
const told: Record<string, Told> = {};
let plane: SharedAttackPlane;
let git: GitServer;
let calls: Recording;
let processes: ProcessWatch;

beforeAll(async () => {
  plane = await attackPlane();
  const { alice, vera, bob, pat } = plane.people;
  git = await openGit(plane, children, join(dir(), 'git'));
  processes = watchProcesses(plane.pid);
  const people = new Map<string, PlaneUser>([...Object.entries({ alice, vera, bob, pat }), ['robot', await makeRobot()]]);
  calls = recordCalls(people, alice);
  await adoptSecrets();
  await plantSecrets();
  await tellStory();
});

afterAll(async () => {
  processes.stop();
  await calls.close();
  await git.stop();
});

/** A machine that writes Secrets and Kustomizations and reads neither: what an editor is, with fewer rights still. */
async function makeRobot(): Promise<PlaneUser> {
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

const isOfThePlane = (label: string): boolean => /^(kek|api|database-|authority-|redis|environment|id-token-)/.test(label);

/** What was secret before anybody came. */
async function adoptSecrets(): Promise<void> {
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
async function plantSecrets(): Promise<void> {
  const { alice, bob } = plane.people;
  const secret = (name: string, stringData: JsonObject, who = alice, namespace = 'team-a') =>
    make(who, 'Secret', namespace, name, { stringData });
  const authority = { 'ca.crt': alice.caPem };
  const password = canaries.plant('git-password');
  const bearerToken = canaries.plant('git-bearer');
  await git.createRepository('r-basic', {
    access: { readers: 'credentials', credentials: [{ scheme: 'basic', username: 'r', password, mayPush: false }] },
    files: repositoryFiles(),
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
    value: kubeconfig({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'true', args: [canaries.plant('kubeconfig-exec')] },
    }),
  });
  await secret('r-kubeconfig-wrong', { value: kubeconfig({ token: canaries.plant('kubeconfig-token') }) });
}

function kubeconfig(user: JsonObject): string {
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

function repositoryFiles(): Readonly<Record<string, string>> {
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

async function tellStory(): Promise<void> {
  await Promise.all([sources(), webhooks(), kubectlApplies(), clusterCredential(), tokens()]);
  await definitions();
  await writesWithoutReading();
  await readEverything();
}

const repository = (url: string, secret: string | null): JsonObject => ({
  spec: { url, interval: '10m', ref: { branch: 'main' }, ...(secret === null ? {} : { secretRef: { name: secret } }) },
});

async function sources(): Promise<void> {
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

async function webhooks(): Promise<void> {
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
async function kubectlApplies(): Promise<void> {
  const { alice } = plane.people;
  const file = join(dir(), 'secret.json');
  for (const value of [canaries.plant('applied'), canaries.plant('applied-again')]) {
    await writeFile(file, JSON.stringify(object('Secret', 'team-a', 'r-applied', { stringData: { password: value } })));
    await run(plane.kubectl, ['--kubeconfig', alice.kubeconfig, '--cache-dir', join(dir(), 'cache'), 'apply', '-f', file], {
      env: { HOME: dir() },
    });
  }
}

async function clusterCredential(): Promise<void> {
  const { alice } = plane.people;
  const [east] = plane.clusters;
  await make(alice, 'Cluster', 'team-a', 'r-own', { spec: { server: east?.server ?? '', caBundle: east?.caPem ?? '' } });
  await calls.ask('alice', `${pathOf('Cluster', 'team-a', 'r-own')}/credentials`, {
    method: 'POST',
    body: { token: canaries.plant('bootstrap-token'), expiresAt: rfc3339(Date.now() + 3_600_000) },
  });
}

async function tokens(): Promise<void> {
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

async function definitions(): Promise<void> {
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
async function writesWithoutReading(): Promise<void> {
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
  expect(diff.text).toContain('{"path":"data.password","from":"***","to":"***"}');
}

const forms = [
  'application/json',
  'application/yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
];

/** Every kind by everybody, in every form, as lists and as watches that begin before it all; and each object of the tenants by its name. */
async function readEverything(): Promise<void> {
  await Promise.all(['alice', 'vera', 'bob', 'pat', 'robot'].map(readKinds));
  const { alice } = plane.people;
  for (const kind of ['Secret', 'GitRepository', 'Kustomization', 'Receiver', 'Delivery', 'AccessToken', 'Cluster']) {
    const { body } = await callPlane(alice, 'GET', pathOf(kind, 'team-a'));
    for (const one of Array.isArray(body['items']) ? body['items'] : [])
      for (const who of ['vera', 'bob', 'pat'])
        await calls.ask(who, pathOf(kind, 'team-a', isObject(one) ? (textAt(one, 'metadata', 'name') ?? '') : ''));
  }
  await calls.ask('vera', '/openapi/v3');
}

/** The program, or what `timeout <seconds>` runs. */
function isGit(environment: string): boolean {
  return environment
    .split('\n')
    .slice(0, 3)
    .some((part) => /(^|\/)git(-remote-https)?$/.test(part));
}

async function readKinds(who: string): Promise<void> {
  const watches: Promise<unknown>[] = [];
  for (const { group, version, plural, scope } of resources) {
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const places = scope === 'Cluster' ? [`${root}/${plural}`] : [`${root}/${plural}`, `${root}/namespaces/team-a/${plural}`];
    for (const place of places) await Promise.all(forms.map((accept) => calls.ask(who, place, { headers: { accept } })));
    watches.push(calls.ask(who, `${places.at(-1)}?watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`));
  }
  await Promise.all(watches);
}

function expectNothing(sightings: readonly Sighting[]): void {
  expect(sightings.map(({ label, where, around }) => `${label} in ${where}: …${around}…`)).toEqual([]);
}

/** Any signed token at all. */
const JWT = /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/;

describe('observer R: nothing is read or leaked', () => {
  test('the story went as it should: what is wrong is refused with a reason, the twins are Ready', () => {
    expect(canaries.labels().length).toBeGreaterThan(40);
    const readiness = Object.fromEntries(Object.entries(told).map(([name, one]) => [name, [one.status, one.reason]]));
    expect(readiness).toEqual({
      'r-basic': ['True', 'Succeeded'],
      'r-bearer': ['True', 'Succeeded'],
      'r-basic-wrong': ['False', 'AuthenticationFailed'],
      'r-bearer-wrong': ['False', 'AuthenticationFailed'],
      'r-ok': ['True', 'ReconciliationSucceeded'],
      'r-label': ['False', 'ReconciliationFailed'],
      'r-port': ['False', 'ReconciliationFailed'],
      'r-broken': ['False', 'BuildFailed'],
      'r-place': ['False', 'ReconciliationFailed'],
      'r-rejected': ['False', 'ReconciliationFailed'],
      'r-kubeconfig-exec': ['False', expect.any(String)],
      'r-kubeconfig-wrong': ['False', 'ClusterRefused'],
    });
  });

  test('every answer of the API to who may not read it', () => {
    const answers = calls.answers();
    expect(answers.length).toBeGreaterThan(500);
    expect(answers.some((one) => one.who === 'vera' && one.status === 200 && one.text.includes('r-basic-wrong'))).toBe(true);
    // Each admin may read the Secrets of their own tenant, and nobody anything of the plane.
    const hers = canaries.labels().filter((one) => !isOfThePlane(one) && one !== 'other-tenant');
    const own = (who: string, what: string) => {
      if (!/\/secrets(\?|$)/.test(what)) return [];
      return who === 'bob' ? ['other-tenant'] : who === 'alice' ? hers : [];
    };
    expectNothing(answers.flatMap(({ who, what, status, text }) => canaries.find(`${who} ${what}: ${status}`, text, own(who, what))));
  });

  test('the log', async () => {
    const log = await readFile(plane.logFile, 'utf8');
    expect(log).toContain('team-a/r-broken');
    expectNothing(canaries.find('the log', log));
    expect(JWT.exec(log)?.[0]).toBe(undefined);
  });

  test('PostgreSQL: every row of every table', async () => {
    const rows = await postgresRows(plane);
    expect(rows.some((one) => one.content.includes(marker))).toBe(true);
    expectNothing(rows.flatMap(({ where, content }) => canaries.find(where, content)));
    for (const { where, content } of rows) expect(JWT.exec(content.toString('latin1'))?.[0], where).toBe(undefined);
  });

  test('Redis: every key and value', async () => {
    const redis = new Redis(plane.redisUrl);
    await redis.set(marker, marker, 'EX', 60);
    redis.disconnect();
    const keys = await redisKeys(plane);
    expect(keys.some((one) => one.content.includes(marker))).toBe(true);
    expectNothing(keys.flatMap(({ where, content }) => canaries.find(where, content)));
  });

  test('files: caches, temporary folders, stores, core files', async () => {
    // Content of a source lies in its mirror, artifact and render; a key is in its own file and nowhere else.
    const allowed: readonly (readonly [string, readonly string[]])[] = [
      [join(plane.stateDir, 'keys', 'kek'), ['kek']],
      [join(plane.stateDir, 'keys', 'database-app'), ['database-app']],
      [join(plane.stateDir, 'keys', 'database-scheduler'), ['database-scheduler']],
      [join(plane.stateDir, 'keys', 'api'), ['api']],
      [join(plane.stateDir, 'ca'), ['authority-key']],
      [join(plane.stateDir, 'artifacts'), ['manifest-in-git']],
      [join(plane.stateDir, 'renders'), ['manifest-in-git']],
      [join(plane.stateDir, 'work'), ['manifest-in-git']],
      [join(plane.dir, 'postgres'), ['database-owner']],
      [join(plane.dir, 'redis'), ['redis']],
    ];
    await writeFile(join(plane.temporaryDir, marker), marker);
    const seen = { marker: false, artifact: false };
    const sightings: Sighting[] = [];
    for (const place of [plane.stateDir, plane.temporaryDir, join(plane.dir, 'postgres'), join(plane.dir, 'redis')])
      for await (const { where, content } of filesBelow(place)) {
        seen.marker ||= where.startsWith(plane.temporaryDir) && content.includes(marker);
        seen.artifact ||= where.startsWith(join(plane.stateDir, 'artifacts')) && content.includes(marker);
        const but = allowed.flatMap(([prefix, labels]) => (where.startsWith(prefix) ? labels : []));
        sightings.push(...canaries.find(where, content, but));
      }
    expect(seen).toEqual({ marker: true, artifact: true });
    expectNothing(sightings);
  });

  test('processes: no command line, and no environment of a child, holds one', () => {
    const commands = [...processes.commands()].join('\n');
    expect(commands).toContain('git');
    expectNothing(canaries.find('a command line', commands));
    const environments = [...processes.environments()];
    expect(environments.some((one) => one.includes('GIT_TERMINAL_PROMPT'))).toBe(true);
    // Git is given the login of its own source that way, so that it is in no command line and no file.
    const logins = ['git-password', 'git-password-wrong', 'git-bearer', 'git-bearer-wrong'];
    expectNothing(environments.flatMap((one) => canaries.find(one.slice(0, 200), one, isGit(one) ? logins : [])));
    expect(JWT.exec(commands)?.[0]).toBe(undefined);
  });

  test('benign twin: who may read a Secret reads it', async () => {
    const { alice } = plane.people;
    const { body } = await callPlane(alice, 'GET', pathOf('Secret', 'team-a', 'r-string-data'));
    expect(canaries.find('her own Secret', JSON.stringify(parseJson(JSON.stringify(body))))).toMatchObject([{ label: 'string-data' }]);
  });
});

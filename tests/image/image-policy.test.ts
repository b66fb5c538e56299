import { Agent, request } from 'undici';
import { beforeAll, expect, test } from 'vitest';
import { at, type JsonObject } from '#core/json.ts';
import { useImageStage } from './stage.ts';

const stage = useImageStage();
const login = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
const image = (repository: string): string => `${stage.registry().host}/${repository}`;
const latest = async (name: string, namespace = 'acme') => at(await stage.get('ImagePolicy', name, namespace), 'status', 'latestRef');
const previous = async (name: string) => at(await stage.get('ImagePolicy', name), 'status', 'observedPreviousRef');

beforeAll(async () => {
  await stage.logins();
});

async function repository(name: string, tags: readonly string[], spec: JsonObject = {}): Promise<void> {
  for (const tag of tags) await stage.push(`team/${name}`, tag);
  await stage.create('ImageRepository', name, { image: image(`team/${name}`), interval: '10m', ...login, ...spec });
}

async function policy(name: string, spec: JsonObject, namespace = 'acme'): Promise<void> {
  await stage.create('ImagePolicy', name, { imageRepositoryRef: { name }, ...spec }, { namespace });
  await stage.settle();
}

/** Deletes a tag as a person with rights on the registry may. */
async function removeTag(repositoryName: string, digest: string): Promise<void> {
  const { url, username, password } = stage.registry();
  const agent = new Agent({ connect: { ca: stage.caPem() } });
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await request(`${url}/v2/${repositoryName}/manifests/${digest}`, {
    method: 'DELETE',
    headers: { authorization },
    dispatcher: agent,
  });
  await answer.body.dump();
  await agent.close();
  expect(answer.statusCode).toBe(202);
}

test('a new tag in the registry wakes the policy, which says what it chose and what it chose before', async () => {
  await repository('app', ['1.0.0', '1.1.0', '2.0.0']);
  await policy('app', { policy: { semver: { range: '1.x' } } });
  expect(await latest('app')).toEqual({ name: image('team/app'), tag: '1.1.0' });
  expect(await stage.ready('ImagePolicy', 'app')).toMatchObject({
    status: 'True',
    reason: 'Succeeded',
    message: `Latest image tag for ${image('team/app')} resolved to 1.1.0`,
  });
  await stage.push('team/app', '1.2.0');
  await stage.due('ImageRepository', 'app');
  expect(await stage.settle()).toEqual(['ImageRepository/app', 'ImagePolicy/app']);
  expect(await latest('app')).toEqual({ name: image('team/app'), tag: '1.2.0' });
  expect(await previous('app')).toEqual({ name: image('team/app'), tag: '1.1.0' });
  await stage.due('ImageRepository', 'app');
  expect(await stage.settle(), 'the same tags wake nobody').toEqual(['ImageRepository/app']);
});

test('the pattern filters and the extract orders', async () => {
  await repository('built', ['main-aaaaaaa-100', 'main-bbbbbbb-99', 'dev-ccccccc-200']);
  await policy('built', {
    filterTags: { pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)$', extract: '$ts' },
    policy: { numerical: { order: 'asc' } },
  });
  expect(await latest('built')).toMatchObject({ tag: 'main-aaaaaaa-100' });
});

test('the digest is looked up never, once per tag, or each time', async () => {
  const first = await stage.push('team/pinned', '1.0.0', 'one');
  await repository('pinned', []);
  const spec = { imageRepositoryRef: { name: 'pinned' }, policy: { semver: { range: '*' } } };
  await stage.create('ImagePolicy', 'never', spec);
  await stage.create('ImagePolicy', 'once', { ...spec, digestReflectionPolicy: 'IfNotPresent' });
  await stage.create('ImagePolicy', 'always', { ...spec, digestReflectionPolicy: 'Always', interval: '1m' });
  await stage.settle();
  expect(await latest('never')).toEqual({ name: image('team/pinned'), tag: '1.0.0' });
  expect(await latest('once')).toMatchObject({ tag: '1.0.0', digest: first });
  expect(await latest('always')).toMatchObject({ tag: '1.0.0', digest: first });
  const second = await stage.push('team/pinned', '1.0.0', 'two');
  expect(second).not.toBe(first);
  for (const name of ['never', 'once', 'always']) await stage.due('ImagePolicy', name);
  await stage.settle();
  expect(await latest('once'), 'J8: a moved tag keeps its digest').toMatchObject({ digest: first });
  expect(await latest('always')).toMatchObject({ digest: second });
  expect(await previous('always')).toMatchObject({ tag: '1.0.0', digest: first });
  await stage.patch('ImagePolicy', 'always', { spec: { digestReflectionPolicy: 'Never', interval: null } });
  await stage.settle();
  expect(await latest('always')).toEqual({ name: image('team/pinned'), tag: '1.0.0' });
});

test('fault 34: a tag that vanished takes nobody back to an older one, a newer one does come, and a changed policy chooses anew', async () => {
  await repository('rewound', ['1.0.0', '1.1.0']);
  const digest = await stage.push('team/rewound', '1.2.0');
  await policy('rewound', { policy: { semver: { range: '1.x' } } });
  expect(await latest('rewound')).toMatchObject({ tag: '1.2.0' });
  await removeTag('team/rewound', digest);
  await stage.due('ImageRepository', 'rewound');
  await stage.settle();
  expect(at(await stage.get('ImageRepository', 'rewound'), 'status', 'lastScanResult', 'latestTags')).toEqual(['1.1.0', '1.0.0']);
  expect(await latest('rewound')).toMatchObject({ tag: '1.2.0' });
  expect(await stage.ready('ImagePolicy', 'rewound')).toMatchObject({
    status: 'True',
    message: expect.stringContaining('no longer in the registry'),
  });
  await stage.push('team/rewound', '1.3.0');
  await stage.due('ImageRepository', 'rewound');
  await stage.settle();
  expect(await latest('rewound')).toMatchObject({ tag: '1.3.0' });
  await stage.patch('ImagePolicy', 'rewound', { spec: { policy: { semver: { range: '<1.2' } } } });
  await stage.settle();
  expect(await latest('rewound')).toMatchObject({ tag: '1.1.0' });
});

test('another namespace of the tenant needs accessFrom, and a change of it counts at once', async () => {
  await repository('shared', ['1.0.0']);
  await policy('shared', { imageRepositoryRef: { name: 'shared', namespace: 'acme' }, policy: { semver: { range: '*' } } }, 'acme-prod');
  const ready = () => stage.ready('ImagePolicy', 'shared', 'acme-prod');
  expect(await ready()).toMatchObject({
    status: 'False',
    reason: 'AccessDenied',
    stalled: false,
    message: expect.stringContaining('accessFrom'),
  });
  await stage.patch('ImageRepository', 'shared', { spec: { accessFrom: { namespaceSelectors: [{ matchLabels: { none: 'such' } }] } } });
  await stage.settle();
  expect(await ready()).toMatchObject({ status: 'False', reason: 'AccessDenied' });
  await stage.patch('ImageRepository', 'shared', {
    spec: {
      accessFrom: {
        namespaceSelectors: [{ matchLabels: { none: 'such' } }, { matchLabels: { 'kubernetes.io/metadata.name': 'acme-prod' } }],
      },
    },
  });
  await stage.settle();
  expect(await ready()).toMatchObject({ status: 'True' });
  expect(await latest('shared', 'acme-prod')).toMatchObject({ tag: '1.0.0' });
});

test('E8: another tenant’s repository is denied in the words of one that does not exist', async () => {
  await stage.create(
    'ImageRepository',
    'theirs',
    { image: image('team/app'), interval: '10m', accessFrom: { namespaceSelectors: [{}] } },
    { namespace: 'other', as: 'stranger' },
  );
  await stage.settle();
  const messages: string[] = [];
  for (const [name, ref] of [
    ['foreign', { name: 'theirs', namespace: 'other' }],
    ['nowhere', { name: 'theirs', namespace: 'no-such' }],
  ] as const) {
    await policy(name, { imageRepositoryRef: ref, policy: { semver: { range: '*' } } });
    const outcome = await stage.ready('ImagePolicy', name);
    expect(outcome).toMatchObject({ status: 'False', reason: 'AccessDenied' });
    messages.push(outcome.message.replace(ref.namespace, '…'));
  }
  expect(messages[0]).toBe(messages[1]);
});

test.each<readonly [string, JsonObject, Readonly<{ reason: string; stalled: boolean }>, string]>([
  [
    'no-repository',
    { imageRepositoryRef: { name: 'none' }, policy: { semver: { range: '*' } } },
    { reason: 'DependencyNotReady', stalled: false },
    'does not exist',
  ],
  [
    'not-scanned',
    { imageRepositoryRef: { name: 'unreachable' }, policy: { semver: { range: '*' } } },
    { reason: 'DependencyNotReady', stalled: false },
    'has no tags',
  ],
  [
    'wrong-image',
    { imageRepositoryRef: { name: 'tagged' }, policy: { semver: { range: '*' } } },
    { reason: 'ImageURLInvalid', stalled: true },
    "remove ':1'",
  ],
  [
    'wrong-range',
    { imageRepositoryRef: { name: 'words' }, policy: { semver: { range: 'x y z' } } },
    { reason: 'InvalidPolicy', stalled: true },
    'semver range',
  ],
  ['no-policy', { imageRepositoryRef: { name: 'words' }, policy: {} }, { reason: 'InvalidPolicy', stalled: true }, 'needs one of'],
  [
    'wrong-filter',
    { imageRepositoryRef: { name: 'words' }, policy: { alphabetical: {} }, filterTags: { pattern: '(?=a)' } },
    { reason: 'InvalidPolicy', stalled: true },
    'filterTags',
  ],
  [
    'no-match',
    { imageRepositoryRef: { name: 'words' }, policy: { semver: { range: '*' } } },
    { reason: 'Failure', stalled: false },
    'unable to determine',
  ],
  ['no-number', { imageRepositoryRef: { name: 'words' }, policy: { numerical: {} } }, { reason: 'Failure', stalled: false }, "'latest'"],
])('going wrong: %s', async (name, spec, expected, message) => {
  if (name === 'no-repository') {
    await repository('words', ['latest']);
    await stage.create('ImageRepository', 'unreachable', { image: '127.0.0.1:1/x', interval: '10m' });
    await stage.create('ImageRepository', 'tagged', { image: 'ghcr.io/a/b:1', interval: '10m' });
  }
  await stage.create('ImagePolicy', name, spec);
  await stage.settle();
  const outcome = await stage.ready('ImagePolicy', name);
  expect(outcome).toMatchObject({ status: 'False', ...expected });
  expect(outcome.message).toContain(message);
});

test('a digest that cannot be read is a failure that keeps the last choice', async () => {
  await repository('digest', ['1.0.0']);
  await policy('digest', { policy: { semver: { range: '*' } } });
  await stage.patch('ImageRepository', 'digest', { spec: { secretRef: { name: 'none' } } });
  await stage.patch('ImagePolicy', 'digest', { spec: { digestReflectionPolicy: 'IfNotPresent' } });
  await stage.settle();
  expect(await stage.ready('ImagePolicy', 'digest')).toMatchObject({
    status: 'False',
    reason: 'Failure',
    message: expect.stringContaining('digest'),
  });
  expect(await latest('digest')).toMatchObject({ tag: '1.0.0' });
});

test('an interval goes with Always and with nothing else', async () => {
  const post = (spec: JsonObject) =>
    stage.api.ask('admin', '/apis/image.toolkit.fluxcd.io/v1/namespaces/acme/imagepolicies', {
      method: 'POST',
      body: {
        apiVersion: 'image.toolkit.fluxcd.io/v1',
        kind: 'ImagePolicy',
        metadata: { name: 'ruled', namespace: 'acme' },
        spec: { imageRepositoryRef: { name: 'x' }, policy: { semver: { range: '*' } }, ...spec },
      },
    });
  expect(await post({ interval: '1m' })).toMatchObject({ status: 422, text: expect.stringContaining('only accepted when') });
  expect(await post({ digestReflectionPolicy: 'Always' })).toMatchObject({
    status: 422,
    text: expect.stringContaining('must be set when'),
  });
});

import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { loginFrom } from '#core/git-login.ts';
import type { GitRef } from '#core/ports.ts';
import { decide } from './decide.ts';
import type { GitRepositoryObj, Seen } from './observe.ts';
import { resource } from './resource.ts';
import { GitRepositoryBody, type GitRepositorySpec, GitRepositoryStatus } from './schema.ts';
import { findTarget } from './target.ts';

const [A, B, C] = ['a', 'b', 'c'].map((one) => one.repeat(40)) as [string, string, string];
const REFS: readonly GitRef[] = [
  { name: 'HEAD', commit: A },
  { name: 'refs/heads/master', commit: A },
  { name: 'refs/heads/feature/x', commit: B },
  { name: 'refs/pull/420/head', commit: C },
  ...['v1.0.0', '1.2.0', 'v1.2.1', '1.2.1', '1.3.0-rc.1', 'v2', 'release', '1.2.1+b', '1.2.1+a', '01.9.0'].map((tag, index) => ({
    name: `refs/tags/${tag}`,
    commit: index.toString(16).repeat(40),
  })),
];

function obj(
  spec: Partial<GitRepositorySpec> = {},
  status: GitRepositoryObj['status'] = null,
  done: readonly string[] = [],
): GitRepositoryObj {
  const definition = {
    tenantId: '',
    kind: 'GitRepository',
    uid: '',
    namespace: 'team',
    name: 'app',
    generation: 1,
    resourceVersion: '1',
    createdAtMs: 0,
    deletingAtMs: null,
    labels: {},
    annotations: {},
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: {},
    status: null,
    sealedKeys: [],
    createdBy: '',
  };
  return { definition, spec: { url: 'https://git.example/app', interval: '1m', ...spec }, status, done };
}

const artifact = (revision: string) => ({
  digest: `sha256:${'0'.repeat(64)}`,
  revision,
  path: 'p',
  url: 'weir:p',
  lastUpdateTime: '2026-01-01T00:00:00Z',
});
const remote = (advertised: readonly GitRef[] = REFS, stored = true): Seen => ({ at: 'remote', advertised, stored });

test.each<[string, GitRepositorySpec['ref'], string, string, string | null]>([
  ['nothing', undefined, A, `master@sha1:${A}`, 'refs/heads/master'],
  ['empty', {}, A, `master@sha1:${A}`, 'refs/heads/master'],
  ['empty texts', { branch: '', tag: '', semver: '', name: '', commit: '' }, A, `master@sha1:${A}`, 'refs/heads/master'],
  ['branch with slash', { branch: 'feature/x' }, B, `feature/x@sha1:${B}`, 'refs/heads/feature/x'],
  ['tag wins over branch', { branch: 'gone', tag: 'v1.0.0' }, '0'.repeat(40), `v1.0.0@sha1:${'0'.repeat(40)}`, 'refs/tags/v1.0.0'],
  ['semver wins over tag', { tag: 'gone', semver: '1.0.x' }, '0'.repeat(40), `v1.0.0@sha1:${'0'.repeat(40)}`, 'refs/tags/v1.0.0'],
  ['semver: highest, tie by bytes', { semver: '^1' }, '2'.repeat(40), `v1.2.1@sha1:${'2'.repeat(40)}`, 'refs/tags/v1.2.1'],
  ['semver with prereleases', { semver: '>=1.3.0-0' }, '4'.repeat(40), `1.3.0-rc.1@sha1:${'4'.repeat(40)}`, 'refs/tags/1.3.0-rc.1'],
  ['name wins over semver', { semver: '^1', name: 'refs/pull/420/head' }, C, `refs/pull/420/head@sha1:${C}`, 'refs/pull/420/head'],
  ['commit wins over all', { name: 'refs/heads/gone', commit: B }, B, `sha1:${B}`, null],
  ['commit on a branch', { commit: B, branch: 'feature/x' }, B, `feature/x@sha1:${B}`, 'refs/heads/feature/x'],
  ['sha256 commit', { commit: 'd'.repeat(64) }, 'd'.repeat(64), `sha256:${'d'.repeat(64)}`, null],
])('%s', (_name, ref, commit, revision, within) => {
  expect(findTarget(ref, REFS)).toEqual({ is: 'target', commit, revision, within });
});

test.each<[GitRepositorySpec['ref'], string]>([
  [{ branch: 'gone' }, "couldn't find remote ref 'refs/heads/gone'"],
  [{ tag: 'gone' }, "couldn't find remote ref 'refs/tags/gone'"],
  [{ name: 'refs/heads/gone' }, "couldn't find remote ref 'refs/heads/gone'"],
  [{ commit: A, branch: 'gone' }, "couldn't find remote ref 'refs/heads/gone'"],
  [{ semver: '>=3' }, 'no match found for semver: >=3'],
  [{ semver: 'nonsense' }, 'semver parse error'],
  [{ semver: '2.x' }, 'no match found'],
])('%j is missing', (ref, message) => {
  expect(findTarget(ref, REFS)).toMatchObject({ is: 'missing', message: expect.stringContaining(message) });
});

test('a known revision with known settings ends without a build', () => {
  const judged = decide(obj({}, { artifact: artifact(`master@sha1:${A}`) }), remote());
  expect(judged).toMatchObject({
    is: 'ready',
    reason: 'Succeeded',
    message: `stored artifact for revision 'master@sha1:${A}'`,
    shown: { conditions: expect.arrayContaining([{ type: 'FetchFailed', status: null }]) },
  });
});

test.each<[string, Partial<GitRepositorySpec>, GitRepositoryObj['status'], Seen]>([
  ['no artifact', {}, null, remote(REFS, false)],
  ['new revision', {}, { artifact: artifact(`master@sha1:${B}`) }, remote()],
  ['artifact lost', {}, { artifact: artifact(`master@sha1:${A}`) }, remote(REFS, false)],
  ['rules added', { ignore: '*.md' }, { artifact: artifact(`master@sha1:${A}`) }, remote()],
  ['rules changed', { ignore: '*.md' }, { artifact: artifact(`master@sha1:${A}`), observedIgnore: '*.txt' }, remote()],
  ['rules removed', {}, { artifact: artifact(`master@sha1:${A}`), observedIgnore: '*.txt' }, remote()],
])('%s: builds', (_name, spec, status, seen) => {
  expect(decide(obj(spec, status), seen)).toMatchObject({
    do: 'build',
    commit: A,
    revision: `master@sha1:${A}`,
    within: 'refs/heads/master',
  });
});

test.each<[string, Seen, string, string]>([
  ['empty repository', remote([]), 'EmptyGitRepository', 'git repository is empty'],
  ['branch deleted', remote([{ name: 'refs/heads/other', commit: A }]), 'GitOperationFailed', 'refs/heads/master'],
  ['unreachable', { at: 'failed', reason: 'GitOperationFailed', message: 'no answer' }, 'GitOperationFailed', 'no answer'],
  ['refused', { at: 'failed', reason: 'AuthenticationFailed', message: '401' }, 'AuthenticationFailed', '401'],
])('%s: fails with FetchFailed and leaves the artifact alone', (_name, seen, reason, message) => {
  const judged = decide(obj({}, { artifact: artifact(`master@sha1:${A}`) }), seen);
  expect(judged).toMatchObject({
    is: 'failed',
    reason,
    message: expect.stringContaining(message),
    shown: { conditions: [{ type: 'FetchFailed', status: 'True', reason }] },
  });
  expect(judged).not.toHaveProperty('shown.status');
});

test('after the build its own condition decides', () => {
  const condition = { status: 'True' as const, lastTransitionTime: '2026-01-01T00:00:00Z', message: 'm' };
  expect(decide(obj({}, { artifact: artifact('x') }, ['build']), { at: 'built' })).toMatchObject({ is: 'ready', revision: 'x' });
  expect(
    decide(obj({}, { conditions: [{ ...condition, type: 'FetchFailed', reason: 'AuthenticationFailed' }] }, ['build']), { at: 'built' }),
  ).toMatchObject({ is: 'failed', reason: 'AuthenticationFailed', message: 'm' });
  expect(
    decide(obj({}, { conditions: [{ ...condition, type: 'StorageOperationFailed', reason: 'ArchiveOperationFailed' }] }, ['build']), {
      at: 'built',
    }),
  ).toMatchObject({ is: 'failed', reason: 'StorageOperationFailed' });
  expect(
    decide(obj({}, { conditions: [{ ...condition, type: 'FetchFailed', reason: 'AccessDenied' }] }, ['build']), { at: 'built' }),
  ).toMatchObject({ is: 'stalled', reason: 'AccessDenied' });
});

test('what a person must change is stalled', () => {
  expect(decide(obj(), { at: 'unsupported', message: 'spec.verify' })).toMatchObject({ is: 'stalled', reason: 'UnsupportedField' });
  expect(decide(obj(), { at: 'urlInvalid', message: 'x' })).toMatchObject({ is: 'stalled', reason: 'URLInvalid' });
  expect(decide(obj(), { at: 'failed', reason: 'AccessDenied', message: 'x' })).toMatchObject({ is: 'stalled', reason: 'AccessDenied' });
});

const bytes = (values: Readonly<Record<string, string>>) => ({
  shown: 'team/login',
  values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)])),
});
const PEM = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const url = 'https://git.example/app';

test.each([
  [
    { username: 'u', password: 'p' },
    { credential: { is: 'basic', username: 'u', password: 'p' }, caPem: null },
  ],
  [{ username: 'u', password: 'p', bearerToken: 't' }, { credential: { is: 'basic', username: 'u', password: 'p' } }],
  [{ bearerToken: 't' }, { credential: { is: 'bearer', token: 't' } }],
  [
    { 'ca.crt': PEM, caFile: 'old' },
    { credential: { is: 'none' }, caPem: PEM },
  ],
  [{ caFile: PEM }, { caPem: PEM }],
  [{}, { credential: { is: 'none' }, caPem: null }],
])('secret keys %j', (values, expected) => {
  expect(loginFrom({ url }, bytes(values))).toMatchObject({ is: 'remote', remote: { url, ...expected } });
});

test.each([
  [{ password: 'canary-p' }, 'AuthenticationFailed'],
  [{ 'tls.crt': PEM }, 'AuthenticationFailed'],
  [{ 'ca.crt': 'canary-c' }, 'AuthenticationFailed'],
  [{ bearerToken: 'canary\nX-Evil: 1' }, 'AuthenticationFailed'],
  [{ username: 'a:b', password: 'canary' }, 'AuthenticationFailed'],
  [{ githubAppID: '1' }, 'InvalidProviderConfiguration'],
])('secret keys %j fail and are not quoted', (values, reason) => {
  const login = loginFrom({ url }, bytes(values));
  expect(login).toMatchObject({ is: 'failed', reason, message: expect.stringContaining('team/login') });
  expect(JSON.stringify(login)).not.toContain('canary');
});

const FLUX = {
  spec: {
    url: 'ssh://git@github.com/org/repo',
    provider: 'azure',
    serviceAccountName: 'a',
    interval: '1m30s',
    timeout: '20s',
    suspend: true,
    ignore: '/*',
    recurseSubmodules: true,
    ref: { branch: 'main', tag: 'v1', semver: '^1', name: 'refs/heads/main', commit: A },
    verify: { mode: 'TagAndHEAD', secretRef: { name: 'k' } },
    include: [{ repository: { name: 'r' }, fromPath: 'a', toPath: 'b' }],
    sparseCheckout: ['a'],
    secretRef: { name: 's' },
    proxySecretRef: { name: 'p' },
  },
} as const;

test('every field of Flux is accepted, and nothing else', () => {
  expect(Value.Check(GitRepositoryBody, FLUX)).toBe(true);
  expect(resource.validate?.(FLUX)).toEqual([]);
  expect(Value.Check(GitRepositoryBody, { spec: { ...FLUX.spec, urll: 'x' } })).toBe(false);
  for (const [key, bad] of [
    ['url', 'git@github.com:a/b'],
    ['interval', '1d'],
    ['timeout', '1h'],
    ['provider', 'gitlab'],
  ] as const)
    expect(Value.Check(GitRepositoryBody, { spec: { ...FLUX.spec, [key]: bad } })).toBe(false);
  expect(Value.Check(GitRepositoryStatus, { observedGeneration: -1 })).toBe(true);
});

test.each([
  [{ url: 'https://user:canary@h/x' }, 'spec.url'],
  [{ url: 'https://h/x', serviceAccountName: 'a' }, 'spec'],
  [{ url: 'https://h/x', serviceAccountName: 'a', provider: 'github' }, 'spec'],
  [{ url: 'https://h/x', ref: { branch: '--upload-pack=x' } }, 'spec.ref.branch'],
  [{ url: 'https://h/x', ref: { tag: 'a..b' } }, 'spec.ref.tag'],
  [{ url: 'https://h/x', ref: { name: 'main' } }, 'spec.ref.name'],
  [{ url: 'https://h/x', ref: { commit: 'abc123' } }, 'spec.ref.commit'],
])('%j breaks a rule', (spec, field) => {
  const found = resource.validate?.({ spec }) ?? [];
  expect(found.map((one) => one.field)).toEqual([field]);
  expect(JSON.stringify(found)).not.toContain('canary');
});

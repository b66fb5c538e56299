import { expect, test } from 'vitest';
import { parseRange } from '#core/semver/range.ts';
import { decide } from './decide.ts';
import type { OCIRepositoryObj, Seen } from './observe.ts';
import { remoteFrom } from './remote.ts';
import { resource } from './resource.ts';
import type { OCIRepositorySpec, OCIRepositoryStatus } from './schema.ts';
import { createTagPick } from './target.ts';
import { unsupportedField } from './unsupported.ts';

const spec: OCIRepositorySpec = { url: 'oci://registry.test/team/app', interval: '1m' };
const [old, next] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const;
const artifact = { path: 'p', url: 'u', revision: `latest@${old}`, digest: 'sha256:d', lastUpdateTime: '2026-01-01T00:00:00Z' };
const verify = { provider: 'cosign', secretRef: { name: 'keys' } } as const;
const of = (status: OCIRepositoryStatus | null, over: Partial<OCIRepositorySpec> = {}): OCIRepositoryObj => ({
  definition: {
    tenantId: 't',
    kind: 'OCIRepository',
    uid: 'u',
    namespace: 'team',
    name: 'app',
    generation: 2,
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
  },
  spec: { ...spec, ...over },
  status,
  done: [],
});
const remote = (digest: string, stored = true): Seen => ({ at: 'remote', digest, revision: `latest@${digest}`, stored });
const condition = (type: string, status: 'True' | 'False', reason: string, observedGeneration = 2) => ({
  type,
  status,
  reason,
  message: 'why',
  observedGeneration,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const signed = (generation: number, status: 'True' | 'False' = 'True') => [condition('SourceVerified', status, 'Succeeded', generation)];
const both = { do: 'build', verify: true, pull: true };
const checkOnly = { do: 'build', verify: true, pull: false };

test.each([
  ['nothing yet', of(null), remote(next, false), { do: 'build', digest: next, revision: `latest@${next}`, verify: false, pull: true }],
  ['current', of({ artifact }), remote(old), { is: 'ready', revision: `latest@${old}` }],
  ['lost from storage', of({ artifact }), remote(old, false), { do: 'build', pull: true }],
  ['moved tag', of({ artifact }), remote(next), { do: 'build', digest: next }],
  ['other rules', of({ artifact }, { ignore: '*.md' }), remote(old), { do: 'build', pull: true }],
  ['rules as before', of({ artifact, observedIgnore: '*.md' }, { ignore: '*.md' }), remote(old), { is: 'ready' }],
  ['rules taken away', of({ artifact, observedIgnore: '*.md' }), remote(old), { do: 'build' }],
  ['another operation', of({ artifact }, { layerSelector: { operation: 'copy' } }), remote(old), { do: 'build' }],
  ['the default operation, written out', of({ artifact }, { layerSelector: { operation: 'extract' } }), remote(old), { is: 'ready' }],
  ['another media type', of({ artifact }, { layerSelector: { mediaType: 'a/b' } }), remote(old), { do: 'build' }],
  ['never verified', of({ artifact }, { verify }), remote(old), checkOnly],
  ['verified', of({ artifact, conditions: signed(2) }, { verify }), remote(old), { is: 'ready' }],
  ['verified for an older spec', of({ artifact, conditions: signed(1) }, { verify }), remote(old), checkOnly],
  ['verified for an older digest', of({ artifact, conditions: signed(2) }, { verify }), remote(next), both],
  ['refused last time', of({ artifact, conditions: signed(2, 'False') }, { verify }), remote(old), checkOnly],
  ['no longer asked for', of({ artifact, conditions: signed(1, 'False') }), remote(old), { is: 'ready' }],
  ['no service for a field', of(null), { at: 'unsupported', message: 'm' }, { is: 'stalled', reason: 'UnsupportedField', message: 'm' }],
  ['a bad address', of(null), { at: 'urlInvalid', message: 'm' }, { is: 'stalled', reason: 'URLInvalid' }],
  [
    'busy',
    of({ artifact }),
    { at: 'failed', reason: 'ReadOperationFailed', message: 'm', retryAfterMs: 9_000 },
    { is: 'failed', reason: 'ReadOperationFailed', retryAfterMs: 9_000 },
  ],
  ['private', of(null), { at: 'failed', reason: 'AccessDenied', message: 'm' }, { is: 'stalled', reason: 'AccessDenied' }],
  ['built', of({ artifact }), { at: 'built' }, { is: 'ready', revision: `latest@${old}` }],
  [
    'pull failed',
    of({ artifact, conditions: [condition('FetchFailed', 'True', 'OCIArtifactPullFailed')] }),
    { at: 'built' },
    { is: 'failed', reason: 'OCIArtifactPullFailed', message: 'why' },
  ],
  [
    'too large',
    of({ artifact, conditions: [condition('StorageOperationFailed', 'True', 'ArchiveOperationFailed')] }),
    { at: 'built' },
    { is: 'failed', reason: 'StorageOperationFailed' },
  ],
  [
    'not signed',
    of({ artifact, conditions: [condition('SourceVerified', 'False', 'VerificationError')] }, { verify }),
    { at: 'built' },
    { is: 'failed', reason: 'VerificationError', message: 'why' },
  ],
] as readonly (readonly [string, OCIRepositoryObj, Seen, object])[])('%s', (_what, obj, seen, wanted) => {
  expect(decide(obj, seen)).toMatchObject(wanted);
});

test.each([
  ['>=1.0.0', '', '2.0.0'],
  ['1.x', '', '1.1.0_b'],
  ['1.x', '^1[.]0', '1.0.1'],
  ['>=1.0.0-0', '', '2.1.0-rc.1'],
  ['~9', '', null],
])('%s with filter "%s" takes %s', (text, filter, wanted) => {
  const range = parseRange(text);
  if (range === null) throw new Error('no range');
  const tags = ['latest', '1.0.0', '1.1.0_b', '1.1.0_a', '1.0.1', '2.0.0', '2.1.0-rc.1', 'v2', '1.1', 'sha256-x.sig', '3.0.0_'];
  for (const order of [tags, tags.toReversed()]) {
    const pick = createTagPick(range, (tag) => filter === '' || tag.startsWith('1.0'));
    for (const tag of order) pick.offer(tag);
    expect(pick.best()).toBe(wanted);
  }
});

const secret = (name: string, values: Readonly<Record<string, string>>) => ({
  shown: `team/${name}`,
  values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)])),
});
const config = (host: string, password: string) =>
  JSON.stringify({ auths: { [host]: { auth: Buffer.from(`u:${password}`).toString('base64') } } });
const address = { host: 'registry.test', repository: 'team/app' } as const;

test('the first login that names the registry counts, by host and port as a whole', () => {
  const logins = [
    secret('other', { '.dockerconfigjson': config('registry.test:5000', 'no') }),
    secret('mine', { '.dockerconfigjson': config('registry.test', 'yes') }),
    secret('later', { username: 'u', password: 'later' }),
  ];
  const found = remoteFrom(address, false, { logins, tls: null });
  expect(found).toMatchObject({ is: 'remote', remote: { ...address, credential: { is: 'basic', password: 'yes' }, caPem: null } });
  expect(remoteFrom(address, false, { logins: [], tls: null })).toMatchObject({ is: 'remote', remote: { credential: { is: 'none' } } });
  expect(remoteFrom(address, false, { logins: logins.slice(2), tls: null })).toMatchObject({
    remote: { credential: { password: 'later' } },
  });
});

test('Secrets that cannot be used say which key, and never a value', () => {
  const login = (values: Readonly<Record<string, string>>) => remoteFrom(address, false, { logins: [secret('s', values)], tls: null });
  const tls = (values: Readonly<Record<string, string>>) => remoteFrom(address, false, { logins: [], tls: secret('t', values) });
  const found = [
    login({}),
    login({ username: 'canary' }),
    login({ username: 'can:ary', password: 'canary' }),
    login({ username: 'u', password: 'can\nary' }),
    login({ '.dockerconfigjson': '{canary' }),
    tls({}),
    tls({ 'ca.crt': 'canary' }),
    tls({ 'tls.crt': 'canary' }),
  ];
  for (const one of found) expect(one).toMatchObject({ is: 'failed', message: expect.stringMatching(/Secret team\/[st] (has|needs)/) });
  expect(JSON.stringify(found)).not.toContain('canary');
});

test.each([
  [{ provider: 'aws' }, 'spec.provider aws'],
  [{ proxySecretRef: { name: 'p' } }, 'spec.proxySecretRef'],
  [{ verify: { provider: 'notation', secretRef: { name: 's' } } }, 'spec.verify.provider notation'],
  [{ verify: { provider: 'cosign' } }, 'spec.verify without secretRef'],
  [{ verify: { ...verify, matchOIDCIdentity: [{ issuer: 'i', subject: 's' }] } }, 'spec.verify.matchOIDCIdentity'],
  [{ verify: { ...verify, trustedRootSecretRef: { name: 'r' } } }, 'spec.verify.trustedRootSecretRef'],
] as readonly (readonly [Partial<OCIRepositorySpec>, string])[])('%j is not served, with a next step', (over, start) => {
  const said = unsupportedField({ ...spec, ...over }) ?? '';
  expect(said.startsWith(start)).toBe(true);
  expect(said).toMatch(/: (use|remove|sign|write)/);
});

test.each([
  [{}, 0],
  [{ tag: '1.0.0' }, 0],
  [{ tag: '1.0.0+build' }, 0],
  [{ tag: '../../x' }, 1],
  [{ tag: 'a/b' }, 1],
  [{ digest: old }, 0],
  [{ digest: 'sha256:x' }, 1],
  [{ digest: `sha512:${'1'.repeat(128)}` }, 1],
])('a reference %j has %i problems', (ref, count) => {
  expect(resource.validate?.({ spec: { ...spec, ref } as never })).toHaveLength(count);
});

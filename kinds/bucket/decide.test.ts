import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import type { BucketObj, Seen } from './observe.ts';
import { remoteFrom } from './remote.ts';
import { resource } from './resource.ts';
import type { BucketSpec, BucketStatus } from './schema.ts';
import { unsupportedField } from './unsupported.ts';

const spec: BucketSpec = { bucketName: 'apps', endpoint: 's3.test', interval: '1m' };
const [old, next] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const;
const artifact = { path: 'p', url: 'u', revision: old, digest: 'sha256:d', lastUpdateTime: '2026-01-01T00:00:00Z' };
const definition = { tenantId: 't', kind: 'Bucket', uid: 'u', namespace: 'team', name: 'app', generation: 1, resourceVersion: '1' };
const of = (status: BucketStatus | null, over: Partial<BucketSpec> = {}): BucketObj => ({
  definition: {
    ...definition,
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
const remote = (revision: string, stored: boolean): Seen => ({ at: 'remote', index: { objects: [], revision }, stored });
const failed = (type: string, reason: string): BucketStatus => ({
  artifact,
  conditions: [{ type, status: 'True', reason, message: 'why', lastTransitionTime: '2026-01-01T00:00:00Z' }],
});

test.each([
  ['nothing yet', of(null), remote(next, false), { do: 'build', revision: next }],
  ['current', of({ artifact }), remote(old, true), { is: 'ready', revision: old }],
  ['current, with other rules that leave the same keys', of({ artifact }, { ignore: '*.md' }), remote(old, true), { is: 'ready' }],
  ['lost from storage', of({ artifact }), remote(old, false), { do: 'build' }],
  ['changed', of({ artifact }), remote(next, true), { do: 'build', revision: next }],
  ['no service for a field', of(null), { at: 'unsupported', message: 'm' }, { is: 'stalled', reason: 'UnsupportedField', message: 'm' }],
  ['a bad address', of(null), { at: 'urlInvalid', message: 'm' }, { is: 'stalled', reason: 'URLInvalid' }],
  [
    'no answer',
    of({ artifact }),
    { at: 'failed', reason: 'BucketOperationFailed', message: 'm' },
    { is: 'failed', reason: 'BucketOperationFailed' },
  ],
  ['refused', of(null), { at: 'failed', reason: 'AuthenticationFailed', message: 'm' }, { is: 'failed', reason: 'AuthenticationFailed' }],
  ['private', of(null), { at: 'failed', reason: 'AccessDenied', message: 'm' }, { is: 'stalled', reason: 'AccessDenied' }],
  ['built', of({ artifact }), { at: 'built' }, { is: 'ready', revision: old }],
  ['download failed', of(failed('FetchFailed', 'BucketOperationFailed')), { at: 'built' }, { is: 'failed', message: 'why' }],
  [
    'too large',
    of(failed('StorageOperationFailed', 'ArchiveOperationFailed')),
    { at: 'built' },
    { is: 'failed', reason: 'StorageOperationFailed' },
  ],
] as readonly (readonly [string, BucketObj, Seen, object])[])('%s', (_what, obj, seen, wanted) => {
  expect(decide(obj, seen)).toMatchObject(wanted);
});

const bytes = (values: Readonly<Record<string, string>>) => ({
  shown: 'team/s',
  values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)])),
});
const keys = bytes({ accesskey: 'a', secretkey: 'canary\n' });

test.each([
  ['a host', { endpoint: 's3.test' }, 'https://s3.test'],
  ['a port', { endpoint: 's3.test:9000' }, 'https://s3.test:9000'],
  ['a URL', { endpoint: 'https://s3.test:9000/' }, 'https://s3.test:9000'],
  ['an IPv6 address', { endpoint: '[::1]:9000' }, 'https://[::1]:9000'],
  ['plain http when asked', { endpoint: 's3.test', insecure: true }, 'http://s3.test'],
])('the endpoint is %s', (_what, over, origin) => {
  const found = remoteFrom({ ...spec, ...over }, keys, null);
  expect(found).toMatchObject({
    is: 'remote',
    remote: { origin, region: 'us-east-1', credential: { accessKey: 'a', secretKey: 'canary' } },
  });
});

test.each([
  ['a path', { endpoint: 's3.test/bucket' }],
  ['a credential', { endpoint: 'https://u:canary@s3.test' }],
  ['http without insecure', { endpoint: 'http://s3.test' }],
  ['blanks', { endpoint: 's3 .test' }],
  ['a query', { endpoint: 's3.test?x' }],
  ['nothing', { endpoint: '' }],
  ['another scheme', { endpoint: 'file:///etc' }],
  ['a region that is none', { region: 'eu/../x' }],
  ['a bucket that climbs', { bucketName: '..' }],
  ['a bucket with a slash', { bucketName: 'a/b' }],
])('an endpoint with %s is refused without being quoted', (_what, over) => {
  const found = remoteFrom({ ...spec, ...over }, keys, null);
  expect(found.is).toBe('urlInvalid');
  expect(JSON.stringify(found)).not.toContain('canary');
});

test('Secrets that cannot be used say which key, and never a value', () => {
  const found = [
    remoteFrom(spec, bytes({ accesskey: 'canary' }), null),
    remoteFrom(spec, bytes({ accesskey: 'can\nary', secretkey: 'canary' }), null),
    remoteFrom(spec, keys, bytes({ 'ca.crt': 'canary' })),
    remoteFrom(spec, keys, bytes({ 'tls.crt': 'canary' })),
    remoteFrom(spec, keys, bytes({})),
  ];
  for (const one of found) expect(one.is).toBe('failed');
  expect(JSON.stringify(found)).not.toContain('canary');
  expect(remoteFrom(spec, null, null)).toMatchObject({ is: 'remote', remote: { credential: null } });
});

test.each([
  [{ provider: 'aws' }, 'spec.provider aws'],
  [{ provider: 'gcp' }, 'spec.provider gcp'],
  [{ provider: 'azure' }, 'spec.provider azure'],
  [{ sts: { provider: 'ldap', endpoint: 'https://sts.test' } }, 'spec.sts'],
  [{ proxySecretRef: { name: 'p' } }, 'spec.proxySecretRef'],
] as readonly (readonly [Partial<BucketSpec>, string])[])('%j is not served, with a next step', (over, start) => {
  const said = unsupportedField({ ...spec, ...over }) ?? '';
  expect(said.startsWith(start)).toBe(true);
  expect(said).toMatch(/: (use|remove)/);
});

test.each([
  [{}, 0],
  [{ serviceAccountName: 'a' }, 1],
  [{ provider: 'aws', serviceAccountName: 'a' }, 0],
  [{ provider: 'aws', serviceAccountName: 'a', secretRef: { name: 's' } }, 1],
  [{ provider: 'gcp', sts: { provider: 'aws', endpoint: 'https://s' } }, 1],
  [{ sts: { provider: 'aws', endpoint: 'https://s' } }, 1],
  [{ provider: 'aws', sts: { provider: 'ldap', endpoint: 'https://s' } }, 1],
  [{ provider: 'aws', sts: { provider: 'aws', endpoint: 'https://s', secretRef: { name: 's' }, certSecretRef: { name: 's' } } }, 2],
  [{ sts: { provider: 'ldap', endpoint: 'https://s', secretRef: { name: 's' } } }, 0],
] as readonly (readonly [Partial<BucketSpec>, number])[])('the schema rules find in %j %i problems', (over, count) => {
  expect(resource.validate?.({ spec: { ...spec, ...over } as never })).toHaveLength(count);
});

import { expect, test } from 'vitest';
import { conditionsFor } from '#core/conditions.ts';
import { decide } from './decide.ts';
import { helmRepositoryKind } from './index.ts';
import type { HelmRepositoryObj, Seen } from './observe.ts';
import { resource } from './resource.ts';
import type { HelmRepositorySpec, HelmRepositoryStatus } from './schema.ts';
import { unsupportedField } from './unsupported.ts';

const spec: HelmRepositorySpec = { url: 'https://charts.test' };
const [old, next] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const;
const artifact = { path: 'p', url: 'u', revision: old, digest: 'sha256:d', lastUpdateTime: '2026-01-01T00:00:00Z' };
const definition = { tenantId: 't', kind: 'HelmRepository', uid: 'u', namespace: 'team', name: 'r', generation: 1, resourceVersion: '1' };
const lists = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [], managedFields: [], sealedKeys: [] };
const of = (status: HelmRepositoryStatus | null): HelmRepositoryObj => ({
  definition: { ...definition, ...lists, createdAtMs: 0, deletingAtMs: null, body: {}, status: null, createdBy: '' },
  spec,
  status,
  done: [],
});
const mark = { etag: '"e"', lastModified: null };
const index = (revision: string, isStored: boolean): Seen => ({ at: 'index', file: '/f', revision, mark, isStored });
const failed = (type: string, reason: string): HelmRepositoryStatus => ({
  artifact,
  conditions: [{ type, status: 'True', reason, message: 'why', lastTransitionTime: '2026-01-01T00:00:00Z' }],
});
const refused = (reason: 'Failed' | 'AuthenticationFailed' | 'AccessDenied', retryAfterMs?: number): Seen => ({
  at: 'failed',
  reason,
  message: 'm',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

test.each([
  ['nothing yet', of(null), index(next, false), { do: 'store', file: '/f', revision: next, mark }],
  ['304', of({ artifact }), { at: 'unchanged' }, { is: 'ready', revision: old }],
  ['sent again, and the same', of({ artifact }), index(old, true), { is: 'ready', revision: old }],
  ['the same, but lost from storage', of({ artifact }), index(old, false), { do: 'store', revision: old }],
  ['another one', of({ artifact }), index(next, true), { do: 'store', revision: next }],
  ['stored', of({ artifact }), { at: 'stored' }, { is: 'ready', reason: 'Succeeded', message: `stored artifact: revision '${old}'` }],
  ['not an index', of(failed('FetchFailed', 'IndexationFailed')), { at: 'stored' }, { is: 'failed', reason: 'IndexationFailed' }],
  [
    'too large',
    of(failed('StorageOperationFailed', 'ArchiveOperationFailed')),
    { at: 'stored' },
    { is: 'failed', reason: 'StorageOperationFailed' },
  ],
  ['a failure that is over', of(failed('FetchFailed', 'Failed')), { at: 'stored' }, { is: 'ready' }],
  ['no answer', of({ artifact }), refused('Failed'), { is: 'failed', reason: 'Failed' }],
  ['asked to wait', of({ artifact }), refused('Failed', 9_000), { is: 'failed', retryAfterMs: 9_000 }],
  ['a wrong Secret', of(null), refused('AuthenticationFailed'), { is: 'failed', reason: 'AuthenticationFailed' }],
  ['a private address', of(null), refused('AccessDenied'), { is: 'stalled', reason: 'AccessDenied' }],
  ['a bad address', of(null), { at: 'urlInvalid', message: 'm' }, { is: 'stalled', reason: 'URLInvalid' }],
  ['no service for a field', of(null), { at: 'unsupported', message: 'm' }, { is: 'stalled', reason: 'UnsupportedField', message: 'm' }],
  ['a registry', of(null), { at: 'registry' }, { is: 'ready', message: 'Helm repository is ready' }],
] as readonly (readonly [string, HelmRepositoryObj, Seen, object])[])('%s', (_what, obj, seen, wanted) => {
  expect(decide(obj, seen)).toMatchObject(wanted);
});

test('a failure shows FetchFailed beside the artifact that is left, and a good look takes it away', () => {
  const shownBy = (obj: HelmRepositoryObj, seen: Seen) => {
    const judged = decide(obj, seen);
    if ('do' in judged) throw new Error('an outcome is expected');
    const extras = judged.shown?.conditions ?? [];
    return conditionsFor({ outcome: judged, extras, previous: [], generation: 1, nowMs: 0 }).map(({ type, reason }) => `${type} ${reason}`);
  };
  expect(shownBy(of({ artifact }), refused('Failed'))).toEqual(['Reconciling ProgressingWithRetry', 'Ready Failed', 'FetchFailed Failed']);
  expect(shownBy(of(failed('FetchFailed', 'Failed')), { at: 'unchanged' })).toEqual(['Ready Succeeded', 'ArtifactInStorage Succeeded']);
  expect(decide(of({ artifact }), { at: 'registry' })).toMatchObject({ shown: { without: ['artifact', 'url'] } });
});

test('with type oci interval and suspend have no effect, and only generic logins are served', () => {
  const oci: HelmRepositorySpec = { url: 'oci://registry.test/charts', type: 'oci', interval: '5m', suspend: true };
  expect(helmRepositoryKind.intervalMs(oci)).toBeNull();
  expect(helmRepositoryKind.suspended(oci)).toBe(false);
  expect(helmRepositoryKind.intervalMs(spec)).toBe(60_000);
  expect(helmRepositoryKind.suspended({ ...spec, suspend: true })).toBe(true);
  expect(unsupportedField(oci)).toBeNull();
  expect(unsupportedField({ ...spec, provider: 'aws' })).toBeNull();
  for (const provider of ['aws', 'azure', 'gcp'] as const)
    expect(unsupportedField({ ...oci, provider })).toContain(`spec.provider ${provider}`);
});

test('a change of either Secret wakes it', () => {
  const refs = helmRepositoryKind.refs({ ...spec, secretRef: { name: 'a' }, certSecretRef: { name: 'b' } }, 'team', 'x');
  expect(refs).toEqual(['a', 'b'].map((name) => ({ kind: 'Secret', namespace: 'team', name, on: 'change' })));
});

test('no credential fits into the address', () => {
  expect(resource.validate?.({ spec: { url: 'https://user:canary@charts.test' } })).toMatchObject([{ field: 'spec.url' }]);
  expect(JSON.stringify(resource.validate?.({ spec: { url: 'https://user:canary@charts.test' } }))).not.toContain('canary');
  expect(resource.validate?.({ spec: { url: 'https://charts.test' } })).toEqual([]);
});

import { expect, test } from 'vitest';
import { type Act, decide } from './decide.ts';
import { helmChartKind } from './index.ts';
import type { HelmChartObj, Seen } from './observe.ts';
import { resource } from './resource.ts';
import type { HelmChartSpec, HelmChartStatus } from './schema.ts';

const spec: HelmChartSpec = { chart: 'app', interval: '1m', sourceRef: { kind: 'HelmRepository', name: 'r' } };
const fromGit = { sourceRef: { kind: 'GitRepository', name: 'g' }, chart: './charts/app' } as const;
const artifact = { path: 'p', url: 'u', revision: '1.0.0', digest: 'sha256:d', lastUpdateTime: '2026-01-01T00:00:00Z' };
const ready: HelmChartStatus = { artifact, observedGeneration: 1, observedChartName: 'app', observedSourceArtifactRevision: 'sha256:1' };
const definition = { tenantId: 't', kind: 'HelmChart', uid: 'u', namespace: 'team', name: 'c', generation: 1, resourceVersion: '1' };
const lists = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [], managedFields: [], sealedKeys: [] };
const of = (status: HelmChartStatus | null, over: Partial<HelmChartSpec> = {}, generation = 1): HelmChartObj => ({
  definition: { ...definition, ...lists, generation, createdAtMs: 0, deletingAtMs: null, body: {}, status: null, createdBy: '' },
  spec: { ...spec, ...over },
  status,
  done: [],
});
const [one, two] = ['1.0.0', '1.1.0'].map((version) => ({ version, url: 'https://x', digest: '', createdAtMs: 0 }));
const repository = (versions: readonly (typeof one)[], isStored = true): Seen => ({
  at: 'repository',
  digest: 'sha256:i',
  revision: 'sha256:2',
  versions: versions.flatMap((version) => version ?? []),
  isStored,
});
const source: Seen = { at: 'source', digest: 'sha256:s', revision: 'main@sha1:0123456789abcdef', isStored: true };
const failed = (type: string, reason: string): HelmChartStatus => ({
  ...ready,
  conditions: [{ type, status: 'True', reason, message: 'why', lastTransitionTime: '2026-01-01T00:00:00Z' }],
});

test.each([
  ['nothing yet', of(null), repository([one], false), { do: 'build', version: one, metadata: null }],
  ['the same version in another index', of(ready), repository([one]), { is: 'ready', revision: '1.0.0' }],
  ['a newer version', of(ready), repository([two, one]), { do: 'build', version: two }],
  ['lost from storage', of(ready), repository([one], false), { do: 'build', version: one, isStored: false }],
  ['a changed definition', of(ready, {}, 2), repository([one]), { do: 'build', version: one }],
  ['a version after a failure', of(failed('FetchFailed', 'ChartPullError')), repository([one]), { do: 'build' }],
  ['values files', of(ready, { valuesFiles: ['a.yaml'] }, 3), repository([one]), { do: 'build', metadata: '3' }],
  ['no such version', of(ready, { version: '>=9' }), repository([one]), { is: 'stalled', reason: 'InvalidChartReference' }],
  ['no range', of(ready, { version: '^^' }), repository([one]), { is: 'stalled', reason: 'InvalidChartReference' }],
  ['no such chart', of(ready), repository([]), { is: 'stalled', reason: 'InvalidChartReference' }],
  ['a source', of(null, fromGit), source, { do: 'build', version: null, metadata: null }],
  ['by revision', of(null, { ...fromGit, reconcileStrategy: 'Revision' }), source, { do: 'build', metadata: '0123456789ab' }],
  ['unchanged', of(ready), { at: 'unchanged' }, { is: 'ready', revision: '1.0.0' }],
  ['built', of(ready), { at: 'built' }, { is: 'ready', reason: 'ChartPullSucceeded', message: "pulled 'app' chart with version '1.0.0'" }],
  ['packed', of(ready, fromGit), { at: 'built' }, { is: 'ready', reason: 'ChartPackageSucceeded' }],
  [
    'packed with values',
    of({ ...ready, observedValuesFiles: ['a.yaml', 'b.yaml'] }, { valuesFiles: ['a.yaml', 'b.yaml'] }),
    { at: 'built' },
    { is: 'ready', message: "packaged 'app' chart with version '1.0.0' and merged values files [a.yaml b.yaml]" },
  ],
  ['no service for a field', of(null), { at: 'unsupported', message: 'm' }, { is: 'stalled', reason: 'UnsupportedField', message: 'm' }],
] as readonly (readonly [string, HelmChartObj, Seen, object])[])('%s', (_what, obj, seen, wanted) => {
  const decided: Act | object = decide(obj, seen);
  expect(decided).toMatchObject(wanted);
});

test.each([
  ['FetchFailed', 'SourceUnavailable', 'failed'],
  ['FetchFailed', 'NoSourceArtifact', 'failed'],
  ['FetchFailed', 'InvalidChartReference', 'stalled'],
  ['FetchFailed', 'ChartPullError', 'failed'],
  ['FetchFailed', 'AuthenticationFailed', 'failed'],
  ['FetchFailed', 'AccessDenied', 'stalled'],
  ['BuildFailed', 'ValuesFilesError', 'stalled'],
  ['BuildFailed', 'MetadataPatchError', 'stalled'],
  ['BuildFailed', 'DependencyBuildError', 'failed'],
  ['BuildFailed', 'ChartPackageError', 'failed'],
  ['BuildFailed', 'ChartVerificationError', 'failed'],
] as const)('%s with %s: %s (definitions.md 2.5)', (type, reason, is) => {
  const isSeen = reason === 'SourceUnavailable' || reason === 'NoSourceArtifact';
  const seen: Seen = isSeen ? { at: 'fetchFailed', reason, message: 'why' } : { at: 'built' };
  const other = type === 'FetchFailed' ? 'BuildFailed' : 'FetchFailed';
  expect(decide(of(failed(type, reason)), seen)).toMatchObject({
    is,
    reason,
    message: 'why',
    shown: {
      conditions: [
        { type, status: 'True', reason, message: 'why' },
        { type: other, status: null },
      ],
    },
  });
});

test('a chart of a registry that must be verified is built again until it is', () => {
  const signed = { verify: { provider: 'cosign', secretRef: { name: 'keys' } } } as const;
  const seen: Seen = { at: 'registry', versions: one === undefined ? [] : [one], isStored: true };
  expect(decide(of(ready), seen)).toMatchObject({ is: 'ready' });
  expect(decide(of(ready, signed), seen)).toMatchObject({ do: 'build' });
  const at = { lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'Succeeded', message: 'm' };
  const verified = (status: 'True' | 'False') => ({ ...ready, conditions: [{ type: 'SourceVerified', status, ...at }] });
  expect(decide(of(verified('False'), signed), seen)).toMatchObject({ do: 'build' });
  expect(decide(of(verified('True'), signed), seen)).toMatchObject({ is: 'ready' });
});

test('its source wakes it, by a new artifact and by any change', () => {
  const base = { kind: 'HelmRepository', namespace: 'team', name: 'r' };
  expect(helmChartKind.refs(spec, 'team', 'x')).toEqual([
    { ...base, on: 'artifact' },
    { ...base, on: 'change' },
  ]);
});

test('verify is taken with a HelmRepository only', () => {
  const verify = { provider: 'cosign' };
  expect(resource.validate?.({ spec: { ...spec, verify } })).toEqual([]);
  expect(resource.validate?.({ spec: { ...spec, ...fromGit, verify } })).toMatchObject([{ field: 'spec' }]);
});

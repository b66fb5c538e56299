import { expect, test } from 'vitest';
import type { HelmReleaseSpec } from './schema.ts';
import { countersOf, isExhausted, remediatesLast, stateOf, type Wanted } from './state.ts';
import type { HelmReleaseStatus, Snapshot } from './status.ts';

const wanted: Wanted = {
  chartName: 'web',
  chartVersion: '1.0.0',
  ociDigest: null,
  configDigest: 'c',
  postRenderersDigest: '',
  commonMetadataDigest: '',
};
const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({
  digest: 'd',
  name: 'web',
  namespace: 'apps',
  version: 1,
  status: 'deployed',
  chartName: 'web',
  chartVersion: '1.0.0',
  configDigest: 'c',
  firstDeployed: '',
  lastDeployed: '',
  ...change,
});
const spec: HelmReleaseSpec = { interval: '1m', chartRef: { kind: 'HelmChart', name: 'web' } };
const status = (change: Partial<HelmReleaseStatus> = {}): HelmReleaseStatus => ({ history: [snapshot()], ...change });
const tests = { ...spec, test: { enable: true } };

type Row = readonly [string, HelmReleaseSpec, HelmReleaseStatus | null, readonly Snapshot[], Partial<Wanted>, readonly string[], string];
const rows: readonly Row[] = [
  ['no record', spec, status(), [], {}, [], 'Absent'],
  ['an uninstalled record', spec, status(), [snapshot({ status: 'uninstalled' })], {}, [], 'Absent'],
  ['a pending record', spec, status(), [snapshot({ status: 'pending-upgrade', version: 2 })], {}, [], 'Locked'],
  ['a record left uninstalling', spec, status(), [snapshot({ status: 'uninstalling' })], {}, [], 'Leaving'],
  ['a record of nobody we know', spec, null, [snapshot()], {}, [], 'Unmanaged'],
  ['a record of another digest', spec, status(), [snapshot({ digest: 'x' })], {}, [], 'Unmanaged'],
  ['a newer record', spec, status(), [snapshot({ version: 2 }), snapshot({ status: 'superseded' })], {}, [], 'Unmanaged'],
  ['a superseded record', spec, status(), [snapshot({ status: 'superseded' })], {}, [], 'Unmanaged'],
  ['a failed record', spec, status(), [snapshot({ status: 'failed' })], {}, [], 'Failed'],
  ['another chart version', spec, status(), [snapshot()], { chartVersion: '1.0.1' }, [], 'OutOfSync'],
  ['another chart name', spec, status(), [snapshot()], { chartName: 'api' }, [], 'OutOfSync'],
  ['other values', spec, status(), [snapshot()], { configDigest: 'x' }, [], 'OutOfSync'],
  ['another content under the version', spec, status(), [snapshot()], { ociDigest: 'sha256:x' }, [], 'OutOfSync'],
  ['other post-renderers', spec, status(), [snapshot()], { postRenderersDigest: 'x' }, [], 'OutOfSync'],
  ['other common metadata', spec, status(), [snapshot()], { commonMetadataDigest: 'x' }, [], 'OutOfSync'],
  ['tests that never ran (fact 5)', tests, status(), [snapshot()], {}, [], 'Untested'],
  ['a failed test', tests, status({ history: [snapshot({ testHooks: { t: { phase: 'Failed' } } })] }), [snapshot()], {}, [], 'Failed'],
  [
    'a failed test that is ignored',
    { ...spec, test: { enable: true, ignoreFailures: true } },
    status({ history: [snapshot({ testHooks: { t: { phase: 'Failed' } } })] }),
    [snapshot()],
    {},
    [],
    'InSync',
  ],
  ['tests that ran', tests, status({ history: [snapshot({ testHooks: {} })] }), [snapshot()], {}, [], 'InSync'],
  ['objects that differ', spec, status(), [snapshot()], {}, ['ConfigMap/a'], 'Drifted'],
  ['nothing', spec, status(), [snapshot()], {}, [], 'InSync'],
];

test.each(rows)('%s', (_name, given, current, records, change, drifted, is) => {
  expect(stateOf(given, current, { wanted: { ...wanted, ...change }, records, drifted }).is).toBe(is);
});

const failing = (change: Partial<HelmReleaseStatus> = {}): HelmReleaseStatus =>
  status({
    lastAttemptedGeneration: 1,
    lastAttemptedRevision: '1.0.0',
    lastAttemptedConfigDigest: 'c',
    failures: 2,
    upgradeFailures: 2,
    installFailures: 1,
    ...change,
  });

test.each([
  ['the same input', failing(), 1, false, 2],
  ['another generation', failing(), 2, false, 0],
  ['another chart version', failing({ lastAttemptedRevision: '0.9.0' }), 1, false, 0],
  ['other values', failing({ lastAttemptedConfigDigest: 'x' }), 1, false, 0],
  ['a reset', failing(), 1, true, 0],
  ['nothing tried yet', null, 1, false, 0],
] as const)('failures that count after %s', (_name, current, generation, reset, count) => {
  expect(countersOf(current, { generation, wanted, reset }).upgradeFailures).toBe(count);
});

test.each([
  ['no retries, one failure', {}, 1, true],
  ['one retry, one failure', { upgrade: { remediation: { retries: 1 } } }, 1, false],
  ['one retry, two failures', { upgrade: { remediation: { retries: 1 } } }, 2, true],
  ['no limit', { upgrade: { remediation: { retries: -1 } } }, 100, false],
  ['RetryOnFailure', { upgrade: { strategy: { name: 'RetryOnFailure' } } }, 100, false],
] as const)('%s: exhausted %s', (_name, change, upgradeFailures, is) => {
  expect(isExhausted({ ...spec, ...change }, { failures: 0, installFailures: 0, upgradeFailures }, 'upgrade')).toBe(is);
});

test('the last failure is remediated after an upgrade with retries, and never after an install unless it is asked for', () => {
  expect(remediatesLast(spec, 'upgrade')).toBe(false);
  expect(remediatesLast({ ...spec, upgrade: { remediation: { retries: 1 } } }, 'upgrade')).toBe(true);
  expect(remediatesLast({ ...spec, install: { remediation: { retries: 1 } } }, 'install')).toBe(false);
  expect(remediatesLast({ ...spec, install: { remediation: { remediateLastFailure: true } } }, 'install')).toBe(true);
});

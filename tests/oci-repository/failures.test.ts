import { expect, test } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { textAt } from '#core/json.ts';
import { FLUX_LAYER, MANIFEST } from '#tests/oci/push.ts';
import { tarGz, useScene } from './scene.ts';

const scene = useScene('oci-bad');
const url = (repository: string): string => `oci://${scene.front().host}/${repository}`;
/** For 256 MiB on a busy machine. */
const SLOW_MS = 90_000;
const absent = `sha256:${'0'.repeat(64)}`;

/** One row of definitions.md 2.3: what is seen, that the last artifact stays, and that it heals. */
async function goesWrong(name: string, spec: JsonObject, reason: string): Promise<string> {
  const source = await scene.source(name, { url: url('team/good') });
  await scene.settled(source, 'True', 'Succeeded');
  const before = await scene.status(source);
  await scene.app.patch('OCIRepository', source, { spec });
  const message = await scene.settled(source, 'False', reason);
  expect(await scene.condition(source, 'FetchFailed')).toMatchObject({ status: 'True', reason, message });
  expect((await scene.status(source))['artifact']).toEqual(before['artifact']);
  const isStalled = reason === 'URLInvalid' || reason === 'AccessDenied';
  expect((await scene.condition(source, isStalled ? 'Stalled' : 'Reconciling'))?.status).toBe('True');
  const reset = Object.fromEntries(Object.keys(spec).map((key) => [key, null]));
  await scene.app.patch('OCIRepository', source, {
    spec: { ...reset, url: url('team/good'), certSecretRef: { name: `${scene.app.id}-ca` } },
  });
  await scene.settled(source, 'True', 'Succeeded');
  expect(await scene.condition(source, 'FetchFailed')).toBeNull();
  return message;
}

test.each([
  ['no-range', { ref: { semver: '>=9' } }, 'ReadOperationFailed', 'no match found for semver: >=9'],
  ['bad-range', { ref: { semver: 'not a range' } }, 'ReadOperationFailed', 'parse error'],
  ['bad-filter', { ref: { semver: '*', semverFilter: '(?=x)' } }, 'ReadOperationFailed', 'spec.ref.semverFilter'],
  ['no-list', { url: 'team/nowhere', ref: { semver: '*' } }, 'ReadOperationFailed', 'failed to determine the artifact tag'],
  ['no-tag', { ref: { tag: 'gone' } }, 'OCIArtifactPullFailed', 'tag gone'],
  ['no-digest', { ref: { digest: absent } }, 'OCIArtifactPullFailed', absent],
  ['no-layer', { url: 'team/empty' }, 'OCIArtifactLayerOperationFailed', 'no layers found in artifact'],
  ['no-type', { layerSelector: { mediaType: 'application/x' } }, 'OCIArtifactLayerOperationFailed', "media type 'application/x'"],
  ['broken', { url: 'team/broken' }, 'OCIArtifactLayerOperationFailed', 'failed to extract layer contents from artifact'],
  ['broken-copy', { url: 'team/broken', layerSelector: { operation: 'copy' } }, 'OCIArtifactLayerOperationFailed', 'failed to copy layer'],
  ['plain-tar', { url: 'team/plain' }, 'OCIArtifactLayerOperationFailed', 'failed to extract layer contents from artifact'],
  ['no-secret', { secretRef: { name: 'nobody' } }, 'AuthenticationFailed', "secret 'team-a/nobody'"],
  ['no-account', { serviceAccountName: 'nobody' }, 'AuthenticationFailed', "service account 'team-a/nobody'"],
  ['no-tls', { certSecretRef: { name: 'nobody' } }, 'AuthenticationFailed', "secret 'team-a/nobody'"],
  ['tagged-url', { url: 'team/good:latest' }, 'URLInvalid', 'must not hold a tag'],
  ['upper-url', { url: 'Team/Good' }, 'URLInvalid', 'names no repository'],
  ['plain-http', { insecure: true }, 'AccessDenied', 'WEIR_ALLOW_HTTP_HOSTS'],
] as const)('%s', async (name, over, reason, words) => {
  const spec: JsonObject = 'url' in over ? { ...over, url: url(over.url) } : over;
  await prepared();
  expect(await goesWrong(name, spec, reason)).toContain(words);
});

const state: { prepared: Promise<void> | null } = { prepared: null };
function prepared(): Promise<void> {
  state.prepared ??= (async () => {
    await scene.push('team/good', 'latest', { 'a.yaml': 'a: 1' });
    await scene.push('team/good', '1.0.0', { 'a.yaml': 'a: 1' });
    await scene.pusher().push('team/empty', 'latest', []);
    const broken = tarGz({ 'a.yaml': 'a'.repeat(5_000) }).subarray(0, 60);
    await scene.pusher().push('team/broken', 'latest', [{ mediaType: FLUX_LAYER, bytes: broken }]);
    await scene.pusher().push('team/plain', 'latest', [{ mediaType: FLUX_LAYER, bytes: Buffer.alloc(2_048) }]);
  })();
  return state.prepared;
}

test('an authority that is not known, and a host that is not there', async () => {
  await prepared();
  expect(await goesWrong('no-authority', { certSecretRef: null }, 'OCIArtifactPullFailed')).toContain('authority');
  expect(await goesWrong('no-host', { url: 'oci://127.0.0.1:1/team/good' }, 'OCIArtifactPullFailed')).toContain('127.0.0.1:1');
});

test('G1: addresses that the operator has not allowed are denied, however they are written', async () => {
  await prepared();
  for (const [name, host] of [
    ['metadata', '169.254.169.254'],
    ['ten', '10.0.0.1:5000'],
    ['six', '[::1]:5000'],
  ] as const)
    expect(await goesWrong(`private-${name}`, { url: `oci://${host}/team/good` }, 'AccessDenied')).toContain('spec.url');
});

test('too much after the rules is said as such, and rules mend it', async () => {
  await scene.push('team/many', 'latest', { 'zeros.bin': '\0'.repeat(268_435_457), 'a.yaml': 'a' });
  const source = await scene.source('many', { url: url('team/many'), timeout: '60s' });
  expect(await scene.settled(source, 'False', 'StorageOperationFailed', SLOW_MS)).toContain('268435456');
  expect(await scene.condition(source, 'StorageOperationFailed')).toMatchObject({ status: 'True', reason: 'ArchiveOperationFailed' });
  await scene.app.patch('OCIRepository', source, { spec: { ignore: '*.bin' } });
  await scene.settled(source, 'True', 'Succeeded', SLOW_MS);
  expect(await scene.condition(source, 'StorageOperationFailed')).toBeNull();
}, 200_000);

test('fields that are not served, or that no registry could mean, are refused with a sentence', async () => {
  await prepared();
  const source = await scene.source('unserved', { url: url('team/good'), provider: 'aws' });
  expect(await scene.settled(source, 'False', 'UnsupportedField')).toContain('spec.provider aws');
  await scene.app.patch('OCIRepository', source, { spec: { provider: 'generic', verify: { provider: 'cosign' } } });
  expect(await scene.settled(source, 'False', 'UnsupportedField')).toContain('would trust whoever signed');
  expect(textAt(await scene.status(source), 'artifact', 'digest')).toBeUndefined();
  await expect(scene.source('bad-tag', { url: url('team/good'), ref: { tag: '../../x' } })).rejects.toThrow('spec.ref.tag');
  await expect(scene.source('bad-digest', { url: url('team/good'), ref: { digest: 'sha256:x' } })).rejects.toThrow('spec.ref.digest');
});

test('annotations that would not fit into a status are refused', async () => {
  await scene
    .pusher()
    .push('team/wordy', 'latest', [{ mediaType: FLUX_LAYER, bytes: tarGz({ a: 'a' }) }], {}, { mediaType: MANIFEST, annotations: wordy() });
  const source = await scene.source('wordy', { url: url('team/wordy') });
  expect(await scene.settled(source, 'False', 'OCIArtifactLayerOperationFailed')).toContain('annotations');
});

function wordy(): JsonObject {
  return Object.fromEntries(Array.from({ length: 10 }, (_none, index) => [`note-${index}`, 'x'.repeat(30_000)]));
}

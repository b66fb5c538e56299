import { expect, test } from 'vitest';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('ag');

function generator(name: string, artifacts: readonly JsonObject[], sources?: readonly JsonObject[]): JsonObject {
  return {
    apiVersion: 'source.extensions.fluxcd.io/v1beta1',
    kind: 'ArtifactGenerator',
    metadata: { name: `${app.id}-${name}`, namespace: 'team-a' },
    spec: { sources: sources ?? [{ alias: 'repo', kind: 'GitRepository', name: 'podinfo' }], artifacts },
  };
}

const copyOf = (folder: string, more: JsonObject = {}): JsonObject => ({
  name: `${app.id}-${folder}`,
  copy: [{ from: `@repo/${app.path}/${folder}/**`, to: '@artifact/' }],
  ...more,
});

async function artifact(name: string): Promise<JsonObject | null> {
  const { status, body } = await app.get('ExternalArtifact', name);
  const found = at(body, 'status', 'artifact');
  return status === 200 && isObject(found) ? found : null;
}

test('one repository becomes two artifacts, each is delivered, and a change of one moves that one only', { timeout: 120_000 }, async () => {
  const [one, two] = [`${app.id}-one`, `${app.id}-two`];
  await app.pushed({ 'one/map.yaml': configMap(one, { a: '1' }), 'two/map.yaml': configMap(two, { b: '1' }) });
  await app.create(generator('split', [copyOf('one', { originRevision: '@repo' }), copyOf('two')]));
  const name = `${app.id}-split`;
  expect(await app.ready(name, 'True', 'Succeeded', 30_000, 'ArtifactGenerator')).toBe('reconciliation succeeded, generated 2 artifact(s)');
  await app.ready(one, 'True', 'Succeeded', 30_000, 'ExternalArtifact');
  await app.ready(two, 'True', 'Succeeded', 30_000, 'ExternalArtifact');
  const [first, second] = [await artifact(one), await artifact(two)];
  expect(textAt(first ?? {}, 'revision')).toBe(`latest@${textAt(first ?? {}, 'digest')}`);
  expect(textAt(first ?? {}, 'metadata', 'org.opencontainers.image.revision')).toMatch(/^main@sha1:[0-9a-f]{40}$/);
  const { body } = await app.get('ArtifactGenerator', name);
  expect(at(body, 'status', 'inventory')).toEqual(
    [one, two].map((each, index) => {
      const digest = textAt([first, second][index] ?? {}, 'digest') ?? '';
      return { name: each, namespace: 'team-a', digest, filename: `${digest.slice(7)}.tar.gz` };
    }),
  );
  const kustomization = await app.kustomization('from-one', { path: './', sourceRef: { kind: 'ExternalArtifact', name: one } });
  await app.place([kustomization], ['north']);
  expect(await app.ready(kustomization, 'True', 'ReconciliationSucceeded')).toBe(`Applied revision: ${textAt(first ?? {}, 'revision')}`);
  expect(at((await app.live('north', configMapPath(one))) ?? {}, 'data', 'a')).toBe('1');

  await app.pushed({ 'one/map.yaml': configMap(one, { a: '2' }) });
  await expect.poll(async () => at((await app.live('north', configMapPath(one))) ?? {}, 'data', 'a'), { timeout: 30_000 }).toBe('2');
  expect(await artifact(two)).toEqual(second);
});

test('results that were edited or deleted come back, and those that leave the spec go', { timeout: 120_000 }, async () => {
  const [keep, drop] = [`${app.id}-keep`, `${app.id}-drop`];
  await app.pushed({ 'keep/map.yaml': configMap(keep, { a: '1' }), 'drop/map.yaml': configMap(drop, { b: '1' }) });
  await app.create(generator('results', [copyOf('keep'), copyOf('drop')]));
  const name = `${app.id}-results`;
  await app.ready(keep, 'True', 'Succeeded', 30_000, 'ExternalArtifact');
  await app.ready(drop, 'True', 'Succeeded', 30_000, 'ExternalArtifact');
  await app.patch('ExternalArtifact', keep, { spec: { sourceRef: { kind: 'Other', name: 'x' } } });
  await expect
    .poll(async () => at((await app.get('ExternalArtifact', keep)).body, 'spec', 'sourceRef', 'name'), { timeout: 15_000 })
    .toBe(name);
  await app.remove('ExternalArtifact', drop);
  await app.ready(drop, 'True', 'Succeeded', 30_000, 'ExternalArtifact');
  await app.patch('ArtifactGenerator', name, { spec: { artifacts: [copyOf('keep')] } });
  await expect.poll(async () => (await app.get('ExternalArtifact', drop)).status, { timeout: 15_000 }).toBe(404);
  expect(await artifact(keep)).not.toBeNull();
  await app.remove('ArtifactGenerator', name);
  await expect.poll(async () => (await app.get('ExternalArtifact', keep)).status, { timeout: 15_000 }).toBe(404);
});

test.each([
  [
    'a source of another tenant',
    [{ alias: 'repo', kind: 'GitRepository', name: 'podinfo', namespace: 'team-b' }],
    'AccessDenied',
    "can't access 'GitRepository/team-b/podinfo'",
  ],
  [
    'a source of no tenant',
    [{ alias: 'repo', kind: 'GitRepository', name: 'podinfo', namespace: 'nowhere' }],
    'AccessDenied',
    "can't access 'GitRepository/nowhere/podinfo'",
  ],
  [
    'a source that is missing',
    [{ alias: 'repo', kind: 'Bucket', name: 'none' }],
    'SourceFetchFailed',
    "source 'Bucket/team-a/none' not found",
  ],
  [
    'an alias that comes twice',
    [
      { alias: 'repo', kind: 'GitRepository', name: 'podinfo' },
      { alias: 'repo', kind: 'GitRepository', name: 'podinfo' },
    ],
    'ValidationFailed',
    "duplicate alias 'repo'",
  ],
])('%s is said', async (what, sources, reason, message) => {
  const name = what.replaceAll(' ', '-');
  await app.create(generator(name, [copyOf('one')], sources));
  expect(await app.ready(`${app.id}-${name}`, 'False', reason, 30_000, 'ArtifactGenerator')).toContain(message);
});

test('a build that fails names artifact and rule, and an artifact of somebody else is not taken', async () => {
  await app.create(generator('bad', [{ name: `${app.id}-bad`, copy: [{ from: '@repo/no/such/folder', to: '@artifact/' }] }]));
  expect(await app.ready(`${app.id}-bad`, 'False', 'BuildFailed', 30_000, 'ArtifactGenerator')).toContain(
    `${app.id}-bad build failed: failed to copy from '@repo/no/such/folder' to '@artifact/': source 'no/such/folder' does not exist`,
  );
  const taken = `${app.id}-taken`;
  await app.create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'ExternalArtifact',
    metadata: { name: taken, namespace: 'team-a' },
    spec: { sourceRef: { kind: 'Machine', name: 'mine' } },
  });
  expect(await app.ready(taken, 'False', 'UnsupportedField', 30_000, 'ExternalArtifact')).toContain('must name an ArtifactGenerator');
  await app.create(generator('thief', [{ name: taken, copy: [{ from: `@repo/${app.path}/**`, to: '@artifact/' }] }]));
  expect(await app.ready(`${app.id}-thief`, 'False', 'ValidationFailed', 30_000, 'ArtifactGenerator')).toContain(
    'is not of this generator',
  );
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import { at } from '#core/json.ts';
import type { Files, Workshop } from './workshop.ts';
import { configMap, find, kustomization, names, openWorkshop, refusalOf } from './workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

function withImage(image: string, images: readonly JsonObject[] = []): Files {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image }] } };
  return { 'pod.yaml': JSON.stringify(pod), 'kustomization.yaml': kustomization({ resources: ['pod.yaml'], images }) };
}

async function imageOf(files: Files, images: readonly JsonObject[]): Promise<Json | undefined> {
  const { objects } = await shop.render(files, { build: { images } });
  const containers = at(find(objects, 'Pod'), 'spec', 'containers');
  return Array.isArray(containers) ? at(containers[0], 'image') : undefined;
}

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

describe('images merge by name', () => {
  test.each<[string, JsonObject, JsonObject, string]>([
    ['newName alone keeps the tag of the file', { name: 'app', newTag: '2' }, { name: 'app', newName: 'r.io/app' }, 'r.io/app:2'],
    [
      'newTag alone keeps the name of the file',
      { name: 'app', newName: 'r.io/app', newTag: '2' },
      { name: 'app', newTag: '3' },
      'r.io/app:3',
    ],
    ['newTag replaces the digest of the file', { name: 'app', digest: DIGEST }, { name: 'app', newTag: '3' }, 'app:3'],
    ['digest replaces the tag of the file', { name: 'app', newTag: '2' }, { name: 'app', digest: OTHER }, `app@${OTHER}`],
    ['digest wins over tag', { name: 'app', newTag: '2' }, { name: 'app', newTag: '3', digest: OTHER }, `app@${OTHER}`],
    ['another name is appended', { name: 'else', newTag: '2' }, { name: 'app', newTag: '3' }, 'app:3'],
  ])('%s', async (_title, inFile, inSpec, expected) => {
    expect(await imageOf(withImage('app:1', [inFile]), [inSpec])).toBe(expected);
  });

  test('an image of the spec works without any in the file', async () => {
    expect(await imageOf(withImage('app:1'), [{ name: 'app', newName: 'r.io/app', newTag: '9' }])).toBe('r.io/app:9');
  });
});

describe('single values replace those of the file', () => {
  const files: Files = {
    'cm.yaml': configMap('a'),
    'kustomization.yaml': kustomization({ resources: ['cm.yaml'], namespace: 'file', namePrefix: 'file-', nameSuffix: '-file' }),
  };
  test.each([
    [{}, ['ConfigMap file/file-a-file']],
    [{ targetNamespace: 'spec' }, ['ConfigMap spec/file-a-file']],
    [{ namePrefix: 'spec-' }, ['ConfigMap file/spec-a-file']],
    [{ nameSuffix: '-spec' }, ['ConfigMap file/file-a-spec']],
  ])('%j', async (build, expected) => {
    expect(names((await shop.render(files, { build })).objects)).toEqual(expected);
  });

  test('targetNamespace also holds for a folder without a kustomization file', async () => {
    const { objects } = await shop.render({ 'cm.yaml': configMap('a') }, { build: { targetNamespace: 'team' } });
    expect(names(objects)).toEqual(['ConfigMap team/a']);
  });

  test('buildMetadata replaces the list of the file', async () => {
    const own = { ...files, 'kustomization.yaml': kustomization({ resources: ['cm.yaml'], buildMetadata: ['originAnnotations'] }) };
    const annotation = (objects: readonly JsonObject[]): Json | undefined =>
      at(objects[0], 'metadata', 'annotations', 'config.kubernetes.io/origin');
    expect(annotation((await shop.render(own)).objects)).toBeDefined();
    expect(annotation((await shop.render(own, { build: { buildMetadata: [] } })).objects)).toBeUndefined();
  });
});

describe('patches and components are appended', () => {
  test('a patch of the spec runs after those of the file; strategic merge and JSON 6902', async () => {
    const files: Files = {
      'cm.yaml': configMap('a', { from: 'resource', kept: 'yes' }),
      'kustomization.yaml': kustomization({
        resources: ['cm.yaml'],
        patches: [{ patch: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { from: 'file' } }) }],
      }),
    };
    const patches = [{ patch: '- op: replace\n  path: /data/from\n  value: spec\n', target: { kind: 'ConfigMap' } }];
    const { objects } = await shop.render(files, { build: { patches } });
    expect(at(find(objects, 'ConfigMap'), 'data')).toEqual({ from: 'spec', kept: 'yes' });
  });

  const withComponent: Files = {
    'app/cm.yaml': configMap('a'),
    'app/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }),
    'parts/extra/kustomization.yaml': JSON.stringify({
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
      resources: ['more.yaml'],
    }),
    'parts/extra/more.yaml': configMap('more'),
  };
  test('a component is added', async () => {
    expect(names((await shop.render(withComponent, { path: 'app', build: { components: ['../parts/extra'] } })).objects)).toEqual([
      'ConfigMap a',
      'ConfigMap more',
    ]);
  });

  test('a missing component fails unless it may be missing', async () => {
    const components = ['../parts/none'];
    expect(await refusalOf(shop.render(withComponent, { path: 'app', build: { components } }))).toMatchObject({
      code: 'buildFailed',
      message: expect.stringContaining('../parts/none'),
    });
    expect(
      names((await shop.render(withComponent, { path: 'app', build: { components, ignoreMissingComponents: true } })).objects),
    ).toEqual(['ConfigMap a']);
  });
});

test('common labels and annotations are set on every object, after substitution, and win', async () => {
  const cm = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { team: 'file', own: 'kept' } } });
  const { objects } = await shop.render(
    { 'cm.yaml': cm },
    { build: { commonLabels: { team: '${v}' }, commonAnnotations: { note: 'x' } }, variables: { v: 'never' } },
  );
  expect(at(objects[0], 'metadata')).toEqual({ name: 'a', labels: { team: '${v}', own: 'kept' }, annotations: { note: 'x' } });
});

test('the kustomization may be called kustomization.yml or Kustomization; two are refused', async () => {
  const text = kustomization({ namePrefix: 'x-', resources: ['cm.yaml'] });
  for (const name of ['kustomization.yml', 'Kustomization'])
    expect(names((await shop.render({ 'cm.yaml': configMap('a'), [name]: text })).objects)).toEqual(['ConfigMap x-a']);
  expect((await refusalOf(shop.render({ 'cm.yaml': configMap('a'), 'kustomization.yaml': text, Kustomization: text }))).message).toContain(
    'more than one',
  );
});

test('a base that is listed in the old fields, and strategic merge patches of both forms, still build', async () => {
  const patch = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { patched: 'yes' } });
  const files: Files = {
    'base/cm.yaml': configMap('a'),
    'base/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }),
    'o/p.yaml': patch,
  };
  for (const fields of [{ patchesStrategicMerge: ['p.yaml'] }, { patchesStrategicMerge: [patch] }]) {
    const { objects } = await shop.render(
      { ...files, 'o/kustomization.yaml': kustomization({ bases: ['../base'], ...fields }) },
      { path: 'o' },
    );
    expect(at(find(objects, 'ConfigMap'), 'data', 'patched')).toBe('yes');
  }
});

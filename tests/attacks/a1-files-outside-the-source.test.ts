import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTree } from '#adapters/kustomize/artifact-tree.ts';
import { runKustomize } from '#adapters/kustomize/build.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import type { Workshop } from '#tests/render/workshop.ts';
import { configMap, kustomization, never, openWorkshop, refusalOf } from '#tests/render/workshop.ts';
import { fieldCases, filesOf, foldersOf } from './kustomization-fields.ts';

const CANARY = 'canary-4b1d77';
let shop: Workshop;
let canaryPath: string;

beforeAll(async () => {
  shop = await openWorkshop();
  // One level above every unpacked artifact, as a manifest that a build would gladly take.
  canaryPath = join(shop.root, 'work', 'trees', 'canary.yaml');
  await mkdir(dirname(canaryPath), { recursive: true });
  await writeFile(canaryPath, configMap('outside', { canary: CANARY }));
});
afterAll(() => shop.close());

describe.each(fieldCases)('A1: $field', (one) => {
  test('twin: a file inside is built', async () => {
    expect((await shop.render(filesOf(one, one.twinReference))).objects.length).toBeGreaterThan(0);
  });

  test('a path that climbs out, an absolute one and a hidden climb are refused before anything runs', async () => {
    const runs = shop.runs();
    const references = [
      '../../canary.yaml',
      canaryPath,
      'inside/../../../canary.yaml',
      './././../../canary.yaml',
      '/etc/passwd',
      '/proc/self/environ',
    ];
    const artifact = await shop.publish(foldersOf(one, references));
    for (const index of references.keys()) {
      const refusal = await refusalOf(shop.render(artifact, { path: `r${index}` }));
      expect(refusal.code).toBe('buildFailed');
      expect(refusal.message).toMatch(/leaves the source|absolute path/);
      expect(refusal.message).not.toContain(CANARY);
    }
    expect(shop.runs()).toBe(runs);
  });
});

test('A1: the path of the definition cannot leave the artifact either', async () => {
  for (const path of ['..', '../', './a/../..', '/../..'])
    expect(['buildFailed', 'notFound']).toContain((await refusalOf(shop.render({ 'a/cm.yaml': configMap('a') }, { path }))).code);
  expect((await shop.render({ 'a/cm.yaml': configMap('a') }, { path: './a/../a' })).objects).toHaveLength(1);
});

test('A1: without the pre-scan the sandbox alone still shows nothing outside', async () => {
  const { kustomize } = await loadToolPaths({ only: ['kustomize'] });
  for (const reference of ['../../canary.yaml', canaryPath, '../../../../../../etc/passwd']) {
    const text = kustomization({ resources: [], configMapGenerator: [{ name: 'g', files: [`x=${reference}`] }] });
    const closure = { root: 'a', empty: false, files: new Map(), kustomizations: new Map([['a/kustomization.yaml', text]]) };
    const refusal = await refusalOf(
      runKustomize(
        { sandbox: shop.sandbox, kustomize, workDir: shop.root, tree: openTree(shop.root, new Map()), closure, timeoutMs: 10_000 },
        never,
      ),
    );
    expect(refusal.message).toContain('no such file');
    expect(refusal.message).not.toContain(CANARY);
  }
});

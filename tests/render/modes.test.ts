import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Workshop } from './workshop.ts';
import { configMap, kustomization, names, openWorkshop, refusalOf } from './workshop.ts';

describe.each(['bwrap', 'unshare', 'weak'] as const)('sandbox mode %s', (mode) => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await openWorkshop(mode);
  });
  afterAll(() => shop.close());

  test('renders the same, and leaves no folder behind', async () => {
    const files = {
      'base/cm.yaml': configMap('a'),
      'base/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }),
      'o/kustomization.yaml': kustomization({ resources: ['../base'], namePrefix: 'x-' }),
    };
    const { objects, digest } = await shop.render(files, { path: 'o' });
    expect(shop.sandbox.mode).toBe(mode);
    expect(names(objects)).toEqual(['ConfigMap x-a']);
    expect(digest).toBe('sha256:74d52b1eaab67c8ba4da9255166b389e44fc69cd7313d6616c018b68028dd3af');
    expect((await readdir(join(shop.root, 'work'))).filter((name) => name !== 'trees')).toEqual([]);
    expect((await readdir(join(shop.root, 'sandbox'))).filter((name) => !name.endsWith('.bpf'))).toEqual([]);
  });

  test('an error of kustomize names the file and no place of this machine', async () => {
    const refusal = await refusalOf(
      shop.render({ 'dir/bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n broken: canary-11\n' }),
    );
    expect(refusal.code).toBe('buildFailed');
    expect(refusal.message).toContain('dir/bad.yaml');
    expect(refusal.message).toContain('line 4');
    expect(refusal.message).not.toMatch(/canary-11|\/tmp\/|run-|\/in\//);
  });

  test('an abort ends the build with its reason', async () => {
    const abort = new AbortController();
    const rendering = shop.render({ 'cm.yaml': configMap(`abort-${mode}`) }, { signal: abort.signal });
    abort.abort(new Error('shutting down'));
    await expect(rendering).rejects.toThrow('shutting down');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Files, Workshop } from '#tests/render/workshop.ts';
import { configMap, kustomization, openWorkshop, refusalOf } from '#tests/render/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

/** A chain of `depth` folders, each listing the next; the last lists `last`. */
function chain(depth: number, field: 'resources' | 'components', last: string): Files {
  const files: Record<string, string> = {
    'end/cm.yaml': configMap('end'),
    'end/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }),
  };
  const kind = field === 'components' ? { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' } : {};
  for (let index = 0; index < depth; index += 1) {
    const next = index === depth - 1 ? last : `../d${index + 1}`;
    files[`d${index}/kustomization.yaml`] = kustomization({
      ...(index === 0 ? {} : kind),
      ...(next === '../end' ? { resources: [next] } : { [field]: [next] }),
    });
  }
  return files;
}

describe.each([1, 2, 50])('A2: depth %i', (depth) => {
  test.each(['resources', 'components'] as const)(
    'a cycle through %s is found before anything runs, and the chain is named',
    async (field) => {
      const runs = shop.runs();
      const refusal = await refusalOf(shop.render(chain(depth, field, '../d0'), { path: 'd0' }));
      expect(refusal.code).toBe('buildFailed');
      expect(refusal.message).toMatch(/closes a cycle: d0 →.* d0$/);
      expect(shop.runs()).toBe(runs);
    },
  );

  test('twin: the same chain with an end is built', async () => {
    expect((await shop.render(chain(depth, 'resources', '../end'), { path: 'd0' })).objects).toHaveLength(1);
  });
});

test('A2: a folder that lists itself', async () => {
  expect((await refusalOf(shop.render({ 'a/kustomization.yaml': kustomization({ resources: ['.'] }) }, { path: 'a' }))).message).toContain(
    'cycle',
  );
});

test('A2: no cycle, but folders that list the next twice: refused by count, not by running', async () => {
  const files: Record<string, string> = {
    'd40/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }),
    'd40/cm.yaml': configMap('end'),
  };
  for (let index = 0; index < 40; index += 1)
    files[`d${index}/kustomization.yaml`] = kustomization({ resources: [`../d${index + 1}`, `../d${index + 1}/`] });
  const runs = shop.runs();
  const startedMs = performance.now();
  expect((await refusalOf(shop.render(files, { path: 'd0' }))).message).toMatch(/visit more than/);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  expect(shop.runs()).toBe(runs);
});

test('A2: what takes too long is ended by the time limit, and a neighbour goes on', async () => {
  // Kustomize expands aliases without bound (the pre-scan does not read resources): only the sandbox ends it.
  const lines = ['apiVersion: v1', 'kind: ConfigMap', 'metadata: {name: slow}', 'a0: &a0 [x,x,x,x,x,x,x,x,x]'];
  for (let index = 1; index < 9; index += 1)
    lines.push(`a${index}: &a${index} [${Array.from({ length: 9 }, () => `*a${index - 1}`).join(',')}]`);
  const slow = refusalOf(shop.render({ 'slow.yaml': lines.join('\n') }, { timeoutMs: 3_000 }));
  const neighbour = await shop.render({ 'cm.yaml': configMap('neighbour') });
  expect(neighbour.objects).toHaveLength(1);
  expect((await slow).message).toMatch(/limit|kustomize build failed/);
});

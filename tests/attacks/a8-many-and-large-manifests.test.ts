import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Workshop } from '#tests/render/workshop.ts';
import { configMap, kustomization, openWorkshop, refusalOf } from '#tests/render/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

test('A8: one file over its limit, with its twin below it', async () => {
  const large = (bytes: number): Readonly<Record<string, string>> => ({
    'own.yaml': configMap('own'),
    'large.txt': 'x'.repeat(bytes),
    'kustomization.yaml': kustomization({ resources: ['own.yaml'], configMapGenerator: [{ name: 'g', files: ['large.txt'] }] }),
  });
  expect((await refusalOf(shop.render(large(11 * 1024 * 1024)))).message).toMatch(/large\.txt has [0-9]+ bytes, the limit/);
  expect((await shop.render(large(100_000))).objects).toHaveLength(2);
});

test('A8: more files than the limit', async () => {
  const files: Record<string, string> = {};
  for (let index = 0; index < 5_001; index += 1) files[`f${index}.yaml`] = '#';
  expect((await refusalOf(shop.render(files))).message).toMatch(/more than 5000 files/);
});

test('A8: more objects than can be built in the time that is given', async () => {
  const one = (index: number): string => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n${index}"}}`;
  const list = (count: number): string =>
    `{"apiVersion":"v1","kind":"List","items":[${Array.from({ length: count }, (_, index) => one(index)).join(',')}]}`;
  expect((await refusalOf(shop.render({ 'l.yaml': list(21_000) }, { timeoutMs: 3_000 }))).message).toMatch(
    /within 3000 ms, the time limit/,
  );
  expect((await shop.render({ 'l.yaml': list(200) })).objects).toHaveLength(200);
});

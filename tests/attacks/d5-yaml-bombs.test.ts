import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Workshop } from '#tests/render/workshop.ts';
import { configMap, kustomization, openWorkshop, refusalOf } from '#tests/render/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

const head = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [own.yaml]\n';
function levels(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index + 1)).join('\n');
}

const bombs: Readonly<Record<string, string>> = {
  'aliases in lists': `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${levels(30, (index) => `a${index}: &a${index} [${Array.from({ length: 9 }, () => `*a${index - 1}`).join(',')}]`)}`,
  'aliases in maps': `a0: &a0 {x: 1}\n${levels(30, (index) => `a${index}: &a${index} {${Array.from({ length: 9 }, (_, key) => `k${key}: *a${index - 1}`).join(',')}}`)}`,
  'merge keys': `a0: &a0 {x: 1}\n${levels(40, (index) => `a${index}: &a${index} {<<: [*a${index - 1}, *a${index - 1}], k${index}: 1}`)}`,
  'merge keys in blocks': `a0: &a0\n  x: 1\n${levels(40, (index) => `a${index}: &a${index}\n  <<: [*a${index - 1}, *a${index - 1}]\n  k${index}: 1`)}`,
  'an alias in itself': 'a: &a [*a]',
  'a merge of itself': 'a: &a {<<: *a}',
  'deep brackets': `a: ${'['.repeat(50_000)}`,
  'deep closed brackets': `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  'deep braces': `a: ${'{a: '.repeat(5_000)}${'}'.repeat(5_000)}`,
  'deep blocks': levels(2_000, (index) => `${' '.repeat(index)}a:`),
  'deep dashes': `a:\n ${'- '.repeat(10_000)}x`,
  'deep keys': `a:\n ${'? '.repeat(10_000)}x`,
  'many anchors': levels(20_000, (index) => `k${index}: &a${index} x`),
  'many aliases of one': `a0: &a0 {${Array.from({ length: 500 }, (_, key) => `k${key}: 1`).join(',')}}\n${levels(2_000, (index) => `b${index}: *a0`)}`,
  'many keys': levels(20_000, (index) => `k${index}: 1`),
  'one long scalar': `a: "${'x'.repeat(200_000)}"`,
  'long comment lines': levels(2_000, () => `#${'x'.repeat(100)}`).concat('\nzz: 1'),
  'many documents': `a: 1\n${'---\n'.repeat(20_000)}`,
  'unclosed quote': `a: "${'x\\n'.repeat(50_000)}`,
  tags: `a: ${'!a '.repeat(5_000)}x`,
};

test.each(Object.entries(bombs))('D5: a kustomization file with %s is refused, and the event loop stays free', async (_title, bomb) => {
  const lag = monitorEventLoopDelay({ resolution: 10 });
  const artifact = await shop.publish({ 'own.yaml': configMap('own'), 'kustomization.yaml': `${head}${bomb}\n` });
  const runs = shop.runs();
  lag.enable();
  const refusal = await refusalOf(shop.render(artifact));
  lag.disable();
  expect(refusal.code).toBe('buildFailed');
  expect(lag.percentile(99) / 1e6).toBeLessThan(200);
  expect(shop.runs()).toBe(runs);
});

test('D5, twin: anchors, aliases and merges as people write them', async () => {
  const text = `${head}x-labels: &labels {team: a}\n`;
  expect((await refusalOf(shop.render({ 'own.yaml': configMap('own'), 'kustomization.yaml': text }))).message).toContain(
    'unknown field x-labels',
  );
  const good = 'resources: [own.yaml]\ncommonAnnotations: &both {team: a}\ncommonLabels:\n  <<: *both\n';
  const { objects } = await shop.render({ 'own.yaml': configMap('own'), 'kustomization.yaml': good });
  expect(objects[0]?.['metadata']).toEqual({ name: 'own', labels: { team: 'a' }, annotations: { team: 'a' } });
});

test('D5: a bomb in a resource ends in the sandbox, within its limits', async () => {
  const refusal = await refusalOf(
    shop.render(
      {
        'own.yaml': `${configMap('own')}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\n${bombs['aliases in lists'] ?? ''}\n`,
      },
      { timeoutMs: 5_000 },
    ),
  );
  expect(refusal.code).toBe('buildFailed');
});

test('D5: a bomb that comes by substitution', async () => {
  const flow = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nlist: ${v}\n';
  expect((await refusalOf(shop.render({ 'cm.yaml': flow }, { variables: { v: '['.repeat(5_000) } }))).code).toBe('buildFailed');
  expect((await refusalOf(shop.render({ 'cm.yaml': flow }, { variables: { v: '&a [*a]' } }))).message).toContain('ConfigMap a');
});

test('D6: a __proto__ key is refused in a kustomization and after substitution, and Object.prototype stays clean', async () => {
  expect(
    (await refusalOf(shop.render({ 'own.yaml': configMap('own'), 'kustomization.yaml': `${head}__proto__: {polluted: 1}\n` }))).message,
  ).toContain('__proto__');
  expect(
    (
      await refusalOf(
        shop.render(
          { 'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: ${v}\n' },
          { variables: { v: '{__proto__: {polluted: 1}}' } },
        ),
      )
    ).message,
  ).toContain('__proto__');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(kustomization({})).toContain('Kustomization');
});

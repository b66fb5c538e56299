import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at } from '#core/json.ts';
import type { Workshop } from './workshop.ts';
import { configMap, find, openWorkshop, refusalOf } from './workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

test('values replace variables, lose their line breaks, and the text is read as YAML again', async () => {
  const deployment =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "web-${env}"}\nspec: {replicas: "${replicas}", text: "a ${long}", keep: "$HOME $${escaped}"}\n';
  const { objects } = await shop.render({ 'd.yaml': deployment }, { variables: { env: 'prod', replicas: '3', long: 'one\ntwo' } });
  const found = find(objects, 'Deployment');
  expect(at(found, 'metadata', 'name')).toBe('web-prod');
  expect(at(found, 'spec')).toEqual({ replicas: 3, text: 'a onetwo', keep: '$HOME ${escaped}' });
});

describe('a variable without value and default', () => {
  const files = { 'cm.yaml': configMap('cm-a', { x: '${missing}' }) };
  test('fails the run and names variable and object', async () => {
    expect(await refusalOf(shop.render(files, { variables: { other: 'x' } }))).toMatchObject({
      code: 'buildFailed',
      message: expect.stringMatching(/ConfigMap cm-a.*"missing".*not set/),
    });
  });
  test('fails with the strategy Always even when there is no variable at all', async () => {
    expect((await refusalOf(shop.render(files, { always: true }))).message).toContain('missing');
  });
  test('is left alone with the strategy WithVariables when there is none', async () => {
    expect(at((await shop.render(files)).objects[0], 'data', 'x')).toBe('${missing}');
  });
  test('takes its default', async () => {
    const { objects } = await shop.render({ 'cm.yaml': configMap('a', { x: '${missing:-fallback}' }) }, { always: true });
    expect(at(objects[0], 'data', 'x')).toBe('fallback');
  });
});

test.each(['labels', 'annotations'])(
  'an object with the switch in its %s is left alone, and only with exactly that text',
  async (where) => {
    const object = (name: string, value: string): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, [where]: { 'kustomize.toolkit.fluxcd.io/substitute': value } },
        data: { x: '${v}' },
      });
    const { objects } = await shop.render(
      { 'a.yaml': object('off', 'disabled'), 'b.yaml': object('on', 'Disabled') },
      { variables: { v: '1' } },
    );
    expect(objects.map((one) => at(one, 'data', 'x'))).toEqual(['${v}', 1]);
  },
);

test('of a Secret only stringData changes: data is base64', async () => {
  const secret = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { encoded: Buffer.from('${v}').toString('base64') },
    stringData: { plain: '${v}' },
  });
  const { objects } = await shop.render({ 's.yaml': secret }, { variables: { v: 'word' } });
  expect(at(objects[0], 'data', 'encoded')).toBe(Buffer.from('${v}').toString('base64'));
  expect(at(objects[0], 'stringData', 'plain')).toBe('word');
});

test('a bad variable name in the map fails, whether it is used or not', async () => {
  for (const name of ['1x', 'a-b', 'é', ''])
    expect((await refusalOf(shop.render({ 'cm.yaml': configMap('a') }, { variables: { [name]: 'v' } }))).message).toContain('not valid');
});

test('only variables that are read enter the input digest', async () => {
  const files = { 'cm.yaml': configMap('used', { x: '${used} ${other:-${deep:-d}}' }) };
  const base = await shop.render(files, { variables: { used: '1', unused: 'a' } });
  const unused = await shop.render(files, { variables: { used: '1', unused: 'b', more: 'c' } });
  const used = await shop.render(files, { variables: { used: '2', unused: 'a' } });
  const nested = await shop.render(files, { variables: { used: '1', deep: 'x' } });
  expect(unused.inputDigest).toBe(base.inputDigest);
  expect(new Set([base.inputDigest, used.inputDigest, nested.inputDigest]).size).toBe(3);
  expect([unused.cached, used.cached, nested.cached]).toEqual([true, true, true]);
});

test('an error after substitution never quotes a value (A10)', async () => {
  const canary = 'canary-9c1e';
  const flow = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken}\ndata:\n  x: ${v}\n';
  for (const value of [`"${canary}`, `{${canary}`, `&a [*a, ${canary}]`, `*${canary}`, `!!int ${canary}: ${canary}: {`]) {
    const refusal = await refusalOf(shop.render({ 'cm.yaml': flow }, { variables: { v: value } }));
    expect(refusal.code).toBe('buildFailed');
    expect(refusal.message).toContain('ConfigMap broken');
    expect(refusal.message).not.toContain(canary);
  }
});

test('the size of a result is limited before it is built', async () => {
  const data = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`k${index}`, '${v}${v}${v}']));
  const refusal = await refusalOf(shop.render({ 'cm.yaml': configMap('big', data) }, { variables: { v: 'x'.repeat(1_000_000) } }));
  expect(refusal.message).toMatch(/larger than [0-9]+ bytes/);
});

test('substitution of a long list runs in a worker thread and gives the same', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 150 }, (_, index) => [
      `f${String(index).padStart(3, '0')}.yaml`,
      configMap(`m${index}`, { x: '${v}', pad: 'p'.repeat(1_000) }),
    ]),
  );
  const { objects } = await shop.render(files, { variables: { v: 'yes' } });
  expect(objects).toHaveLength(150);
  // `yes` unquoted is a boolean for Kubernetes' reader.
  expect(new Set(objects.map((one) => at(one, 'data', 'x')))).toEqual(new Set([true]));
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { at } from '#core/json.ts';
import type { Files, Workshop } from './workshop.ts';
import { configMap, find, kustomization, names, openWorkshop, refusalOf, TENANT_B } from './workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "ghcr.io/acme/web:1.0.0"}
`;
export const app: Files = {
  'base/kustomization.yaml': kustomization({ resources: ['deployment.yaml', 'service.yaml'] }),
  'base/deployment.yaml': deployment,
  'base/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], selector: {app: web}}\n',
  'prod/kustomization.yaml': kustomization({
    resources: ['../base'],
    namePrefix: 'prod-',
    patches: [{ path: 'replicas.yaml' }],
    configMapGenerator: [{ name: 'settings', files: ['conf=../shared/settings.conf'] }],
  }),
  'prod/replicas.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 5}\n',
  'shared/settings.conf': 'a=b\n',
};

test('an overlay is built with its base, patch file and a generator file outside its folder', async () => {
  const { objects, cached, digest, inputDigest } = await shop.render(app, { path: './prod' });
  expect(names(objects)).toEqual(
    ['ConfigMap prod-settings-2f2fg7k4gg', 'Service prod-web', 'Deployment prod-web'].map((name) =>
      expect.stringMatching(name.startsWith('ConfigMap') ? /^ConfigMap prod-settings-/ : name),
    ),
  );
  expect(at(find(objects, 'Deployment'), 'spec', 'replicas')).toBe(5);
  expect(cached).toBe(false);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(inputDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('the same render again starts nothing, for another commit too when no file of the closure changed, but not for another tenant', async () => {
  const first = await shop.render(app, { path: 'prod' });
  const runs = shop.runs();
  const again = await shop.render(app, { path: 'prod' });
  const otherCommit = await shop.render({ ...app, 'README.md': 'changed' }, { path: 'prod' });
  expect([again.cached, otherCommit.cached, shop.runs()]).toEqual([true, true, runs]);
  expect([again.digest, otherCommit.digest, again.inputDigest, otherCommit.inputDigest]).toEqual([
    first.digest,
    first.digest,
    first.inputDigest,
    first.inputDigest,
  ]);
  expect((await shop.render(app, { path: 'prod', tenantId: TENANT_B })).cached).toBe(false);
  const changed = await shop.render({ ...app, 'shared/settings.conf': 'a=c\n' }, { path: 'prod' });
  expect(changed.cached).toBe(false);
  expect(changed.inputDigest).not.toBe(first.inputDigest);
});

test('many at once make one run', async () => {
  const files = { 'a.yaml': configMap('single-flight') };
  const digest = await shop.publish(files);
  const runs = shop.runs();
  const all = await Promise.all(Array.from({ length: 20 }, () => shop.render(digest)));
  expect(shop.runs()).toBe(runs + 1);
  expect(new Set(all.map((one) => one.digest)).size).toBe(1);
});

test('a folder without a kustomization file: all manifests below, nested builds as one entry, other files ignored', async () => {
  const { objects } = await shop.render(
    {
      'deploy/a.yaml': configMap('a'),
      'deploy/deep/er/b.yml': `${configMap('b')}\n---\n${configMap('b2')}\n`,
      'deploy/notes.txt': 'not: yaml: at: all',
      'deploy/empty.yaml': '# nothing\n',
      'deploy/nested/kustomization.yaml': kustomization({ namePrefix: 'n-', resources: ['c.yaml'] }),
      'deploy/nested/c.yaml': configMap('c'),
      'deploy/nested/not-listed.yaml': configMap('never'),
      'other/d.yaml': configMap('d'),
    },
    { path: './deploy' },
  );
  expect(names(objects)).toEqual(['ConfigMap a', 'ConfigMap b', 'ConfigMap b2', 'ConfigMap n-c']);
});

test('a folder that is called like a host is a folder, as path and inside a generated kustomization', async () => {
  const files = {
    'apps/example.com/cm.yaml': configMap('a'),
    'apps/github.com/org/kustomization.yaml': kustomization({ resources: ['cm.yaml'] }),
    'apps/github.com/org/cm.yaml': configMap('b'),
  };
  expect(names((await shop.render(files, { path: 'apps' })).objects)).toEqual(['ConfigMap a', 'ConfigMap b']);
  expect(names((await shop.render(files, { path: './apps//example.com/' })).objects)).toEqual(['ConfigMap a']);
});

test('an empty folder gives no objects; a missing one is notFound; a file that is no manifest is named', async () => {
  expect((await shop.render({ 'a/README.md': 'x' }, { path: 'a' })).objects).toEqual([]);
  expect(await refusalOf(shop.render({ 'a/README.md': 'x' }, { path: 'b' }))).toMatchObject({
    code: 'notFound',
    message: expect.stringContaining('b'),
  });
  const refusal = await refusalOf(shop.render({ 'good.yaml': configMap('a'), 'values.yaml': 'replicas: 3\n' }));
  expect(refusal).toMatchObject({ code: 'buildFailed', message: expect.stringContaining('values.yaml') });
});

test('objects of both levels of a List, a duplicate object, an object without name', async () => {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [JSON.parse(configMap('a')), JSON.parse(configMap('b'))] });
  expect(names((await shop.render({ 'l.yaml': list })).objects)).toEqual(['ConfigMap a', 'ConfigMap b']);
  expect((await refusalOf(shop.render({ 'a.yaml': configMap('same'), 'b.yaml': configMap('same') }))).message).toContain('same');
  expect((await refusalOf(shop.render({ 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n' }))).code).toBe('buildFailed');
});

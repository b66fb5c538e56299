import { expect, test } from 'vitest';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('deps');

test('a Kustomization waits for what it depends on, starts when that is ready, and holds nothing meanwhile', async () => {
  await app.push({ 'first/one.yaml': configMap(`${app.id}-one`, { a: '1' }), 'second/two.yaml': configMap(`${app.id}-two`, { b: '2' }) });
  const second = await app.kustomization('second', { path: `${app.path}/second`, dependsOn: [{ name: `${app.id}-first` }] });
  await app.place([second], ['north']);
  expect(await app.ready(second, 'False', 'DependencyNotReady')).toContain(`dependency 'team-a/${app.id}-first' not found`);
  expect(await app.live('north', configMapPath(`${app.id}-two`))).toBeNull();
  const first = await app.kustomization('first', { path: `${app.path}/first` });
  await app.place([first], ['north']);
  await app.ready(second, 'True', 'ReconciliationSucceeded', 15_000);
  expect(await app.live('north', configMapPath(`${app.id}-one`))).not.toBeNull();
  expect(await app.live('north', configMapPath(`${app.id}-two`))).not.toBeNull();
});

test('a circle of dependencies waits and says for whom', async () => {
  const a = await app.kustomization('circle-a', {
    path: `${app.path}/first`,
    namePrefix: 'ca-',
    dependsOn: [{ name: `${app.id}-circle-b` }],
  });
  const b = await app.kustomization('circle-b', {
    path: `${app.path}/first`,
    namePrefix: 'cb-',
    dependsOn: [{ name: `${app.id}-circle-a` }],
  });
  await app.place([a, b], ['north']);
  expect(await app.ready(a, 'False', 'DependencyNotReady')).toContain(`${app.id}-circle-b`);
  expect(await app.ready(b, 'False', 'DependencyNotReady')).toContain(`${app.id}-circle-a`);
});

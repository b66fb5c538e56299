import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { configMap, deployment, deploymentPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('health');

/** A Pod that asks for more than any node has is never scheduled. */
function tooBig(name: string): string {
  return deployment(name, 1).replace('image: ghcr.io', 'resources: {requests: {cpu: "4000"}}\n          image: ghcr.io');
}

test('with wait, Ready comes after the replicas', async () => {
  const name = `${app.id}-web`;
  await app.push({ 'ok/web.yaml': deployment(name, 3) });
  const kustomization = await app.kustomization('ok', { path: `${app.path}/ok`, wait: true });
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  expect(at((await app.live('north', deploymentPath(name))) ?? {}, 'status', 'readyReplicas')).toBe(3);
  const conditions = at((await app.get('Kustomization', kustomization)).body, 'status', 'conditions');
  expect(conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Healthy', status: 'True', reason: 'Succeeded' })]));
});

test('what is not healthy in time fails with the object named, and a new revision starts at once', async () => {
  const name = `${app.id}-big`;
  await app.push({ 'big/web.yaml': tooBig(name) });
  const kustomization = await app.kustomization('big', { path: `${app.path}/big`, wait: true, timeout: '30s', retryInterval: '10m' });
  await app.place([kustomization], ['north']);
  expect(await app.ready(kustomization, 'Unknown', 'Progressing')).toContain('Running health checks for revision main@sha1:');
  const fixedMs = Date.now();
  await app.push({ 'big/web.yaml': deployment(name, 1) });
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded', 20_000);
  expect(Date.now() - fixedMs).toBeLessThan(20_000);
});

test('healthChecks wait for the listed objects only', async () => {
  const [good, bad] = [`${app.id}-good`, `${app.id}-bad`];
  await app.push({
    'two/good.yaml': deployment(good, 1),
    'two/bad.yaml': tooBig(bad),
    'two/config.yaml': configMap(`${app.id}-c`, { a: 'b' }),
  });
  const healthChecks = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: good, namespace: 'apps-a' }];
  const kustomization = await app.kustomization('two', { path: `${app.path}/two`, healthChecks });
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
});

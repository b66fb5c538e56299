import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('place');

test('without a place it is Stalled, NoCluster, and the message says what to write; a Placement brings it to a cluster', async () => {
  const name = `${app.id}-where`;
  await app.push({ 'where/config.yaml': configMap(name, { a: '1' }) });
  const kustomization = await app.kustomization('where', { path: `${app.path}/where` });
  const message = await app.ready(kustomization, 'False', 'NoCluster');
  expect(message).toContain('weir.dev/default-cluster');
  expect(message).toContain('Placement');
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  expect(await app.live('north', configMapPath(name))).not.toBeNull();
});

test('a cluster that is no longer selected is cleaned, the other one is left alone', async () => {
  const name = `${app.id}-move`;
  await app.push({ 'move/config.yaml': configMap(name, { a: '1' }) });
  const kustomization = await app.kustomization('move', { path: `${app.path}/move` });
  await app.place([kustomization], ['north', 'south']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  const uid = at((await app.live('south', configMapPath(name))) ?? {}, 'metadata', 'uid');
  await app.patch('Placement', `${kustomization}-place`, { spec: { clusters: { names: ['south'] } } });
  await expect.poll(() => app.live('north', configMapPath(name)), { timeout: 15_000 }).toBeNull();
  expect(at((await app.live('south', configMapPath(name))) ?? {}, 'metadata', 'uid')).toBe(uid);
  await expect
    .poll(async () => JSON.stringify((await callPlane(app.alice(), 'GET', '/apis/weir.dev/v1/namespaces/team-a/deliveries')).body), {
      timeout: 15_000,
    })
    .not.toContain(`kustomization.${kustomization}.north`);
});

test('the namespace’s default cluster is where a definition without Placement runs', async () => {
  const name = `${app.id}-default`;
  await app.push({ 'default/config.yaml': configMap(name, { a: '1' }) });
  const kustomization = await app.kustomization('default', { path: `${app.path}/default` });
  await app.ready(kustomization, 'False', 'NoCluster');
  const namespace = async (value: string | null) =>
    expect(
      (
        await callPlane(
          app.alice(),
          'PATCH',
          '/api/v1/namespaces/team-a',
          { metadata: { annotations: { 'weir.dev/default-cluster': value } } },
          'application/merge-patch+json',
        )
      ).status,
    ).toBe(200);
  await namespace('south');
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  expect(await app.live('south', configMapPath(name))).not.toBeNull();
  await namespace(null);
  await expect.poll(() => app.live('south', configMapPath(name)), { timeout: 15_000 }).toBeNull();
});

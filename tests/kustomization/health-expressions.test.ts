import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { callPlane, collectionPath } from '#deploy/demo/plane-client.ts';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('cel');
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';

/** Everybody may patch a ConfigMap: the phase stands in its data, as a custom resource has it in its status. */
const healthCheckExprs = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    current: "data.phase == 'Done'",
    inProgress: "data.phase == 'Busy'",
    failed: "data.phase == 'Broken'",
  },
];

async function setPhase(name: string, phase: string): Promise<void> {
  const { status } = await app.onCluster('north', 'PATCH', configMapPath(name), { data: { phase } });
  expect(status).toBe(200);
}

test('an object is healthy when its expression says so, and the wait goes on until then', async () => {
  const name = `${app.id}-job`;
  await app.push({ 'job/one.yaml': configMap(name, { note: 'x' }) });
  const kustomization = await app.kustomization('job', {
    path: `${app.path}/job`,
    wait: true,
    timeout: '2m',
    healthCheckExprs: [
      { ...healthCheckExprs[0], current: "has(data.phase) && data.phase == 'Done'", inProgress: '!has(data.phase)', failed: 'false' },
    ],
  });
  await app.place([kustomization], ['north']);
  expect(await app.ready(kustomization, 'Unknown', 'Progressing')).toContain('the inProgress expression holds');
  await setPhase(name, 'Done');
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded', 15_000);
  const conditions = at((await app.get('Kustomization', kustomization)).body, 'status', 'conditions');
  expect(conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Healthy', status: 'True' })]));
});

test('an object that failed by its expression ends the wait; one that none covers is judged as before', async () => {
  const name = `${app.id}-broken`;
  await app.push({ 'broken/one.yaml': configMap(name, { phase: 'Broken' }) });
  const kustomization = await app.kustomization('broken', { path: `${app.path}/broken`, wait: true, timeout: '2m', healthCheckExprs });
  await app.place([kustomization], ['north']);
  expect(await app.ready(kustomization, 'False', 'HealthCheckFailed')).toContain('the failed expression holds');
});

test('an expression that fails when it is run is neither healthy nor broken, and says why', async () => {
  const name = `${app.id}-odd`;
  await app.push({ 'odd/one.yaml': configMap(name, { a: 'b' }) });
  const kustomization = await app.kustomization('odd', { path: `${app.path}/odd`, wait: true, timeout: '2m', healthCheckExprs });
  await app.place([kustomization], ['north']);
  expect(await app.ready(kustomization, 'Unknown', 'Progressing')).toContain('no such key: phase');
});

test('a dependency is ready when readyExpr says so, and its built-in readiness no longer counts', async () => {
  await app.push({ 'first/one.yaml': configMap(`${app.id}-one`, { a: '1' }), 'second/two.yaml': configMap(`${app.id}-two`, { b: '2' }) });
  const first = await app.kustomization('first', { path: `${app.path}/missing` });
  const second = await app.kustomization('second', {
    path: `${app.path}/second`,
    dependsOn: [
      {
        name: first,
        readyExpr:
          "self.kind == dep.kind && dep.metadata.?labels['stage'].orValue('') == 'open' && dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'False')",
      },
    ],
  });
  await app.place([first, second], ['north']);
  await app.ready(first, 'False', 'ArtifactFailed');
  expect(await app.ready(second, 'False', 'DependencyNotReady')).toContain('is not ready according to readyExpr eval');
  await app.patch('Kustomization', first, { metadata: { labels: { stage: 'open' } } });
  await app.patch('Kustomization', second, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } });
  await app.ready(second, 'True', 'ReconciliationSucceeded', 15_000);
  expect(await app.live('north', configMapPath(`${app.id}-two`))).not.toBeNull();
});

test.each([
  ['spec.healthCheckExprs[0].current', { healthCheckExprs: [{ apiVersion: 'v1', current: "status.phase = 'Done'" }] }, 'at character 14'],
  ['spec.healthCheckExprs[0].failed', { healthCheckExprs: [{ apiVersion: 'v1', current: 'true', failed: '((' }] }, 'at character 3'],
  ['spec.dependsOn[1].readyExpr', { dependsOn: [{ name: 'a' }, { name: 'b', readyExpr: 'dep.status.ready' }] }, 'must be of type bool'],
  ['spec.dependsOn[0].readyExpr', { dependsOn: [{ name: 'a', readyExpr: 'env.x == 1' }] }, "undeclared reference to 'env'"],
])('a bad expression in %s is refused at once, with its place', async (field, spec, place) => {
  const object = {
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name: `${app.id}-bad` },
    spec: { interval: '10m', prune: true, path: './', sourceRef: { kind: 'GitRepository', name: 'apps' }, ...spec },
  };
  const answer = await callPlane(app.alice(), 'POST', collectionPath(KUSTOMIZE, 'Kustomization', 'team-a'), object);
  expect(answer.status).toBe(422);
  expect(at(answer.body, 'details', 'causes')).toEqual([
    expect.objectContaining({ field, message: expect.stringContaining('no valid CEL expression') }),
  ]);
  expect(JSON.stringify(answer.body)).toContain(place);
});

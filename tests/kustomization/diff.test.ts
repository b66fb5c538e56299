import { describe, expect, test } from 'vitest';
import { at, type JsonObject } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('diff');
const kustomizations = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/team-a/kustomizations';

function proposed(name: string, spec: JsonObject): JsonObject {
  const base = { sourceRef: { kind: 'GitRepository', name: 'podinfo' }, interval: '10m', prune: true, targetNamespace: 'apps-a' };
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'team-a' },
    spec: { ...base, ...spec },
  };
}

async function diff(name: string, spec: JsonObject) {
  const { status, body } = await callPlane(app.alice(), 'POST', `${kustomizations}/${name}/diff`, proposed(name, spec));
  expect(status, JSON.stringify(body)).toBe(200);
  const clusters = at(body, 'clusters');
  return Array.isArray(clusters) ? clusters : [];
}

describe('a preview by dry run, as the tenant', () => {
  test('of what is there unchanged shows no difference; of a change, the field on each cluster; and writes nothing', async () => {
    const name = `${app.id}-config`;
    await app.push({ 'one/config.yaml': configMap(name, { greeting: '${word}' }) });
    const spec = { path: `${app.path}/one`, postBuild: { substitute: { word: 'hello' } } };
    const kustomization = await app.kustomization('one', spec);
    await app.place([kustomization], ['north', 'south']);
    await app.ready(kustomization, 'True');
    const same = await diff(kustomization, spec);
    expect(same).toHaveLength(2);
    expect(JSON.stringify(same)).not.toMatch(/"change":"(changed|added|removed)"/);
    const changed = await diff(kustomization, { ...spec, postBuild: { substitute: { word: 'bye' } } });
    for (const cluster of changed)
      expect(JSON.stringify(cluster)).toContain('"fields":[{"path":"data.greeting","from":"hello","to":"bye"}]');
    expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data')).toEqual({ greeting: 'hello' });
  });

  test('says what would go, and what a cluster refuses', async () => {
    const [kept, gone] = [`${app.id}-kept`, `${app.id}-gone`];
    await app.push({ 'two/kept.yaml': configMap(kept, { a: 'b' }), 'two/gone/gone.yaml': configMap(gone, { a: 'b' }) });
    const kustomization = await app.kustomization('two', { path: `${app.path}/two` });
    await app.place([kustomization], ['north']);
    await app.ready(kustomization, 'True');
    expect(JSON.stringify(await diff(kustomization, { path: `${app.path}/two/gone` }))).toContain(
      `"apps-a_${kept}__ConfigMap","ref":{"namespace":"apps-a","name":"${kept}","apiVersion":"v1","kind":"ConfigMap"},"change":"removed"`,
    );
    expect(JSON.stringify(await diff(kustomization, { path: `${app.path}/two`, targetNamespace: 'apps-b' }))).toContain(
      'namespace apps-b of cluster north is not granted to this tenant',
    );
  });

  test('is refused to another tenant as if nothing were there', async () => {
    const { status } = await callPlane(app.bob(), 'POST', `${kustomizations}/podinfo/diff`, proposed('podinfo', { path: './x' }));
    expect(status).toBe(404);
  });
});

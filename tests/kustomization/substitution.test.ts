import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('subst');

test('variables come from the cluster, ConfigMaps, Secrets and literals, later ones win, and each cluster gets its own', async () => {
  const name = `${app.id}-vars`;
  await app.push({
    'vars/config.yaml': configMap(name, {
      region: '${region}',
      color: '${color}',
      secret: '${word}',
      own: '${own:-fallback}',
      kept: '$${region}',
    }),
  });
  await app.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'team-a' }, data: { color: 'red', word: 'weak' } });
  await app.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'team-a' }, stringData: { word: 'strong' } });
  const postBuild = {
    substituteFrom: [
      { kind: 'ConfigMap', name },
      { kind: 'Secret', name },
      { kind: 'ConfigMap', name: `${name}-not-there`, optional: true },
    ],
    substitute: { color: 'blue' },
  };
  const kustomization = await app.kustomization('vars', { path: `${app.path}/vars`, postBuild });
  await app.place([kustomization], ['north', 'south']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  for (const cluster of ['north', 'south']) {
    expect(at((await app.live(cluster, configMapPath(name))) ?? {}, 'data')).toEqual({
      region: cluster,
      color: 'blue',
      secret: 'strong',
      own: 'fallback',
      kept: '${region}',
    });
  }
});

test('a variable without value and without default fails the run, and names variable and object', async () => {
  const name = `${app.id}-missing`;
  await app.push({ 'missing/config.yaml': configMap(name, { word: '${nowhere_defined}' }) });
  const kustomization = await app.kustomization('missing', { path: `${app.path}/missing`, postBuild: { substitute: { other: 'x' } } });
  await app.place([kustomization], ['north']);
  const message = await app.ready(kustomization, 'False', 'BuildFailed');
  expect(message).toContain('nowhere_defined');
  expect(message).toContain(name);
  expect(await app.live('north', configMapPath(name))).toBeNull();
});

test('a missing source of variables is named with the next step', async () => {
  const kustomization = await app.kustomization('nofrom', { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'not-there' }] } });
  await app.place([kustomization], ['north']);
  expect(await app.ready(kustomization, 'False', 'BuildFailed')).toContain(
    "substituteFrom: Secret 'team-a/not-there' not found: create it, or set optional: true",
  );
});

import { expect, test } from 'vitest';
import { at, textAt } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { configMap, configMapPath } from '#tests/kustomization/app.ts';
import { SOURCE, useScene } from './scene.ts';

const scene = useScene('oci');
const { app } = scene;

test('an OCI artifact becomes running objects, and a moved tag follows', async () => {
  const name = `${app.id}-cm`;
  const origin = 'main@sha1:4f2c1e0d5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d';
  const annotations = { 'org.opencontainers.image.revision': origin, 'org.opencontainers.image.source': 'https://git.test/app' };
  const first = await scene.push('team/app', 'latest', { 'app/cm.yaml': configMap(name, { a: '1' }), 'notes.md': 'n' }, annotations);
  const login = await scene.secret('login', { username: scene.registry().username, password: scene.registry().password });
  const source = await scene.source('main', { url: `oci://${scene.registry().host}/team/app`, secretRef: { name: login } });
  expect(await scene.settled(source, 'True', 'Succeeded')).toBe(`stored artifact for digest 'latest@${first.digest}'`);
  expect(await scene.status(source)).toMatchObject({
    artifact: { revision: `latest@${first.digest}`, metadata: annotations },
    url: `weir:ocirepository/team-a/${source}/latest.tar.gz`,
  });
  const kustomization = await app.kustomization('main', { sourceRef: { kind: 'OCIRepository', name: source }, path: './app' });
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  expect((await app.get('Kustomization', kustomization)).body).toMatchObject({
    status: { lastAppliedRevision: `latest@${first.digest}`, lastAppliedOriginRevision: origin },
  });
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data')).toEqual({ a: '1' });

  const second = await scene.push('team/app', 'latest', { 'app/cm.yaml': configMap(name, { a: '2' }) });
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
  expect(textAt(await scene.status(source), 'artifact', 'revision')).toBe(`latest@${second.digest}`);
  expect(at(await scene.status(source), 'artifact', 'metadata')).toBeUndefined();
  await expect.poll(async () => at((await app.live('north', configMapPath(name))) ?? {}, 'data'), { timeout: 15_000 }).toEqual({ a: '2' });
});

test('B2: a source of another tenant is as missing as one that is not there', async () => {
  await scene.push('team/mine', 'latest', { 'a.yaml': 'a: 1' });
  const source = await scene.source('mine', { url: `oci://${scene.front().host}/team/mine` });
  await scene.settled(source, 'True', 'Succeeded');
  for (const name of [source, 'never-there'])
    expect((await callPlane(app.bob(), 'GET', `/apis/${SOURCE}/namespaces/team-a/ocirepositories/${name}`)).status).toBe(404);
  const message = async (namespace: string): Promise<string> => {
    const kustomization = await app.kustomization(`to-${namespace}`, { sourceRef: { kind: 'OCIRepository', name: source, namespace } });
    await app.place([kustomization], ['north']);
    return (await app.ready(kustomization, 'False', 'AccessDenied')).replaceAll(namespace, '<namespace>');
  };
  expect(await message('team-b')).toBe(await message('nobody-there'));
});

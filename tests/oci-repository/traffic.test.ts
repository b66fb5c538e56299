import { expect, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { useScene } from './scene.ts';

const scene = useScene('oci-traffic');
const asked = () => scene.front().seen.map(({ method, path }) => `${method} ${path.replace(/sha256[:-][0-9a-f]{64}/, '<digest>')}`);

test('an unchanged digest costs one request, a moved tag three', async () => {
  await scene.push('team/quiet', 'latest', { 'a.yaml': 'a: 1' });
  scene.front().handle(() => false);
  const source = await scene.source('quiet', { url: `oci://${scene.front().host}/team/quiet` });
  await scene.settled(source, 'True', 'Succeeded');
  const pull = ['HEAD /v2/team/quiet/manifests/latest', 'GET /v2/team/quiet/manifests/<digest>', 'GET /v2/team/quiet/blobs/<digest>'];
  expect(asked()).toEqual(pull);
  const before = await scene.status(source);
  scene.front().handle(() => false);
  await scene.again(source);
  expect(asked()).toEqual(pull.slice(0, 1));
  expect({ ...(await scene.status(source)), lastHandledReconcileAt: '' }).toEqual({ ...before, lastHandledReconcileAt: '' });
  await scene.push('team/quiet', 'latest', { 'a.yaml': 'a: 2' });
  scene.front().handle(() => false);
  await scene.again(source);
  expect(asked()).toEqual(pull);
});

test('suspend stops looking and keeps the artifact', async () => {
  await scene.push('team/rest', 'latest', { 'a.yaml': 'a: 1' });
  const source = await scene.source('rest', { url: `oci://${scene.front().host}/team/rest` });
  await scene.settled(source, 'True', 'Succeeded');
  const digest = textAt(await scene.status(source), 'artifact', 'digest');
  await scene.app.patch('OCIRepository', source, { spec: { suspend: true } });
  scene.front().handle(() => false);
  await scene.app.patch('OCIRepository', source, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } });
  await new Promise((done) => setTimeout(done, 2_000));
  expect(asked()).toEqual([]);
  expect(textAt(await scene.status(source), 'artifact', 'digest')).toBe(digest);
});

test('a source that is a digest asks for no tag', async () => {
  const { digest } = await scene.push('team/pinned', 'latest', { 'a.yaml': 'a: 1' });
  scene.front().handle(() => false);
  const source = await scene.source('pinned', { url: `oci://${scene.front().host}/team/pinned`, ref: { digest } });
  await scene.settled(source, 'True', 'Succeeded');
  expect(asked()).toEqual(['GET /v2/team/pinned/manifests/<digest>', 'GET /v2/team/pinned/blobs/<digest>']);
  scene.front().handle(() => false);
  await scene.again(source);
  expect(asked()).toEqual([]);
});

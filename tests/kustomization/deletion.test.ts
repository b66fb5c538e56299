import { expect, test } from 'vitest';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('del');

async function applied(name: string, spec: Readonly<Record<string, unknown>>): Promise<string> {
  await app.push({ [`${name}/config.yaml`]: configMap(`${app.id}-${name}`, { a: '1' }) });
  const kustomization = await app.kustomization(name, { path: `${app.path}/${name}`, ...spec } as never);
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  return kustomization;
}

async function gone(kustomization: string): Promise<void> {
  await app.remove('Kustomization', kustomization);
  await expect.poll(async () => (await app.get('Kustomization', kustomization)).status, { timeout: 15_000 }).toBe(404);
}

test('by default, deleting the Kustomization deletes its objects', async () => {
  await gone(await applied('mirror', {}));
  expect(await app.live('north', configMapPath(`${app.id}-mirror`))).toBeNull();
});

test.each([
  ['orphan', { deletionPolicy: 'Orphan' }],
  ['noprune', { prune: false }],
])('%s leaves them', async (name, spec) => {
  await gone(await applied(name, spec));
  expect(await app.live('north', configMapPath(`${app.id}-${name}`))).not.toBeNull();
});

test('policy Delete deletes them although prune is off; WaitForTermination waits until they are gone', async () => {
  await gone(await applied('delete', { prune: false, deletionPolicy: 'Delete' }));
  expect(await app.live('north', configMapPath(`${app.id}-delete`))).toBeNull();
  const kustomization = await applied('wait', { deletionPolicy: 'WaitForTermination' });
  await app.onCluster('north', 'PATCH', configMapPath(`${app.id}-wait`), { metadata: { finalizers: ['weir.dev/test'] } });
  await app.remove('Kustomization', kustomization);
  await expect
    .poll(async () => (await app.live('north', configMapPath(`${app.id}-wait`)))?.['metadata'], { timeout: 10_000 })
    .toMatchObject({ deletionTimestamp: expect.any(String) });
  expect((await app.get('Kustomization', kustomization)).status).toBe(200);
  await app.onCluster('north', 'PATCH', configMapPath(`${app.id}-wait`), { metadata: { finalizers: null } });
  await expect.poll(async () => (await app.get('Kustomization', kustomization)).status, { timeout: 15_000 }).toBe(404);
});

test('a suspended Kustomization leaves its objects when it is deleted', async () => {
  const kustomization = await applied('suspended', {});
  await app.patch('Kustomization', kustomization, { spec: { suspend: true } });
  await gone(kustomization);
  expect(await app.live('north', configMapPath(`${app.id}-suspended`))).not.toBeNull();
});

test('prune: false keeps what left the source', async () => {
  await app.push({ 'keep/a.yaml': configMap(`${app.id}-keep-a`, { a: '1' }), 'keep/b.yaml': configMap(`${app.id}-keep-b`, { a: '1' }) });
  const kustomization = await app.kustomization('keep', { path: `${app.path}/keep`, prune: false });
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True');
  await app.push({ 'keep/b.yaml': null, 'keep/a.yaml': configMap(`${app.id}-keep-a`, { a: '2' }) });
  await expect
    .poll(async () => (await app.live('north', configMapPath(`${app.id}-keep-a`)))?.['data'], { timeout: 15_000 })
    .toEqual({ a: '2' });
  expect(await app.live('north', configMapPath(`${app.id}-keep-b`))).not.toBeNull();
});

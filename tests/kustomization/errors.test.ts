import { expect, test } from 'vitest';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('err');

async function placed(name: string, spec: Readonly<Record<string, unknown>>): Promise<string> {
  const kustomization = await app.kustomization(name, spec as never);
  await app.place([kustomization], ['north']);
  return kustomization;
}

test.each([
  [
    'no-source',
    { sourceRef: { kind: 'GitRepository', name: 'nowhere' } },
    'ArtifactFailed',
    'GitRepository team-a/nowhere not found: create it, or correct spec.sourceRef',
  ],
  [
    'foreign',
    { sourceRef: { kind: 'GitRepository', name: 'shop', namespace: 'team-b' } },
    'AccessDenied',
    'spec.sourceRef.namespace must be a namespace of this tenant',
  ],
  [
    'foreign-ghost',
    { sourceRef: { kind: 'GitRepository', name: 'ghost', namespace: 'no-such-namespace' } },
    'AccessDenied',
    'spec.sourceRef.namespace must be a namespace of this tenant',
  ],
  ['no-path', { path: './not/there' }, 'ArtifactFailed', 'not/there'],
  ['field', { decryption: { provider: 'sops' } }, 'UnsupportedField', 'spec.decryption is not served by this release'],
  [
    'account',
    { path: './deploy/overlays/staging', serviceAccountName: 'nobody' },
    'AccessDenied',
    'no ClusterAccount registers the account team-a/nobody on cluster north',
  ],
])('%s: the reason and the next step', async (name, spec, reason, text) => {
  expect(await app.ready(await placed(name, spec), 'False', reason)).toContain(text);
});

test('broken YAML stalls nobody else, keeps what is applied, and recovers by itself', async () => {
  await app.push({ 'bad/config.yaml': configMap(`${app.id}-bad`, { a: '1' }) });
  const kustomization = await placed('bad', { path: `${app.path}/bad` });
  await app.ready(kustomization, 'True');
  await app.push({ 'bad/config.yaml': 'apiVersion: v1\nkind: ConfigMap\n  metadata: [' });
  expect(await app.ready(kustomization, 'False', 'BuildFailed')).toContain('config.yaml');
  expect(await app.live('north', configMapPath(`${app.id}-bad`))).not.toBeNull();
  await app.push({ 'bad/config.yaml': configMap(`${app.id}-bad`, { a: '2' }) });
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
});

test('an object that another Kustomization owns is refused, and the owner’s is untouched', async () => {
  await app.push({
    'shared/config.yaml': configMap(`${app.id}-shared`, { owner: 'first' }),
    'thief/config.yaml': configMap(`${app.id}-shared`, { owner: 'second' }),
  });
  const owner = await placed('shared', { path: `${app.path}/shared` });
  await app.ready(owner, 'True');
  const thief = await placed('thief', { path: `${app.path}/thief` });
  expect(await app.ready(thief, 'False', 'ReconciliationFailed')).toContain('belongs to another Kustomization already');
  expect((await app.live('north', configMapPath(`${app.id}-shared`)))?.['data']).toEqual({ owner: 'first' });
});

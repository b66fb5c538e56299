import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { deployment, deploymentPath, useApp } from '#tests/kustomization/app.ts';

const app = useApp('force');

test('a changed immutable field fails with the API server’s words; with force the object is made anew', async () => {
  const name = `${app.id}-web`;
  await app.push({ 'web.yaml': deployment(name, 1) });
  const kustomization = await app.kustomization('web');
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True');
  const before = at((await app.live('north', deploymentPath(name))) ?? {}, 'metadata', 'uid');
  await app.push({ 'web.yaml': deployment(name, 1, 'other') });
  expect(await app.ready(kustomization, 'False', 'ReconciliationFailed')).toContain('field is immutable');
  expect(at((await app.live('north', deploymentPath(name))) ?? {}, 'metadata', 'uid')).toBe(before);
  await app.patch('Kustomization', kustomization, { spec: { force: true } });
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  const after = await app.live('north', deploymentPath(name));
  expect(at(after ?? {}, 'metadata', 'uid')).not.toBe(before);
  expect(at(after ?? {}, 'spec', 'selector', 'matchLabels')).toEqual({ app: 'other' });
});

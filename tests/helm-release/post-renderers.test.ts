import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { configMapPath, deploymentPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hpr');
const { app } = releases;

const WORKLOAD = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: 0
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers: [{name: main, image: "ghcr.io/stefanprodan/podinfo:6.9.2"}]
`;
const HOOK = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
data: {colour: plain}
`;
const patch = (name: string) => ({ patch: `- op: add\n  path: /data/patched\n  value: "yes"\n`, target: { kind: 'ConfigMap', name } });

test('patches, images and common metadata are what helm applies and stores; a strategy says whether hooks are among them', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED, 'web.yaml': WORKLOAD, 'hook.yaml': HOOK });
  const name = `${app.id}-pr`;
  await releases.release('pr', {
    commonMetadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
    postRenderers: [
      { kustomize: { patches: [patch(name), patch(`${name}-hook`)], images: [{ name: 'ghcr.io/stefanprodan/podinfo', newTag: '9.9.9' }] } },
    ],
  });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True', 'InstallSucceeded');
  const map = (await app.live('north', configMapPath(name))) ?? {};
  expect(at(map, 'data')).toMatchObject({ colour: 'red', patched: 'yes' });
  expect(at(map, 'metadata', 'labels')).toMatchObject({ team: 'a' });
  expect(at(map, 'metadata', 'annotations')).toMatchObject({ note: 'b' });
  const web = (await app.live('north', deploymentPath(name))) ?? {};
  expect(JSON.stringify(at(web, 'spec', 'template', 'spec', 'containers'))).toContain('podinfo:9.9.9');
  expect(at((await app.live('north', configMapPath(`${name}-hook`))) ?? {}, 'data', 'patched')).toBe('yes');
  expect(await releases.helm('north', 'get', 'manifest', name)).toContain('podinfo:9.9.9');

  await app.patch('HelmRelease', name, { spec: { postRenderStrategy: 'nohooks' } });
  await expect.poll(async () => (await releases.history('north', name)).length, { timeout: 60_000 }).toBe(2);
  await releases.ready(name, 'True', 'UpgradeSucceeded');
  expect(at((await app.live('north', configMapPath(`${name}-hook`))) ?? {}, 'data', 'patched')).toBeUndefined();
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'patched')).toBe('yes');

  await app.patch('HelmRelease', name, { spec: { postRenderers: null, commonMetadata: null } });
  await releases.ready(name, 'True', 'UpgradeSucceeded');
  await expect
    .poll(async () => at((await app.live('north', configMapPath(name))) ?? {}, 'data'), { timeout: 60_000 })
    .toEqual({ colour: 'red' });
});

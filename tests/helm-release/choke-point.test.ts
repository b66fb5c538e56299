import { expect, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hb13');
const { app } = releases;

const HOOKS = [
  'pre-install',
  'post-install',
  'pre-upgrade',
  'post-upgrade',
  'pre-rollback',
  'post-rollback',
  'pre-delete',
  'post-delete',
  'test',
] as const;

const elsewhere = (hook: string, namespace: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-side
  namespace: ${namespace}
  annotations: {helm.sh/hook: ${hook}}
`;

test('threat B13: an object outside the grant is refused on every side path, before anything of the release is applied; the same inside it is fine', {
  timeout: 300_000,
}, async () => {
  await releases.chart('1.0.0', { 'map.yaml': COLOURED });
  const name = await releases.release('side', { install: { remediation: { retries: -1 } }, upgrade: { remediation: { retries: -1 } } });
  for (const [index, hook] of HOOKS.entries()) {
    await releases.chart(`1.0.${index + 1}`, { 'map.yaml': COLOURED, 'hook.yaml': elsewhere(hook, 'kube-system') });
    if (index === 0) await app.place([name], ['north'], 'HelmRelease');
    await expect
      .poll(async () => textAt((await releases.condition(name, 'Released')) ?? {}, 'message') ?? '', { timeout: 60_000 })
      .toMatch(new RegExp(`@1\\.0\\.${index + 1}: ConfigMap/kube-system/.*is not granted to this tenant`));
    expect(await app.live('north', configMapPath(name))).toBe(null);
    expect(await app.live('north', configMapPath(`${name}-side`, 'kube-system'))).toBe(null);
  }
  await releases.chart('1.1.0', { 'map.yaml': COLOURED, 'hook.yaml': elsewhere('pre-install', 'apps-a') });
  await releases.ready(name, 'True', 'InstallSucceeded');
  expect(await releases.helm('north', 'ls')).toContain(name);
});

test('a CRD in crds/ is applied as the tenant, who may not, and the cluster’s own words come back', { timeout: 120_000 }, async () => {
  const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.${app.id}.example.com}
spec:
  group: ${app.id}.example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`;
  await releases.chart('2.0.0', { 'map.yaml': COLOURED, 'hook.yaml': '' }, { 'chart/crds/thing.yaml': crd });
  const name = await releases.release('crd');
  await app.place([name], ['north'], 'HelmRelease');
  expect(await releases.ready(name, 'False', 'InstallFailed')).toMatch(/CustomResourceDefinition.*(forbidden|cannot)/i);
  await app.patch('HelmRelease', name, { spec: { install: { crds: 'Skip' } } });
  await releases.ready(name, 'True', 'InstallSucceeded');
});

import { expect, test } from 'vitest';
import { at, type JsonObject } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { COLOURED, useReleases } from './app.ts';

const releases = useReleases('hdf');
const { app } = releases;
const collection = '/apis/helm.toolkit.fluxcd.io/v2/namespaces/team-a/helmreleases';

async function diff(name: string, change: JsonObject) {
  const stored = (await app.get('HelmRelease', name)).body;
  const spec = at(stored, 'spec');
  const metadata = { name, namespace: 'team-a' };
  const proposed = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', metadata, spec: { ...Object(spec), ...change } };
  const { status, body } = await callPlane(app.alice(), 'POST', `${collection}/${name}/diff`, proposed);
  expect(status, JSON.stringify(body)).toBe(200);
  return JSON.stringify(at(body, 'clusters'));
}

test('a preview of a release shows what helm would change on each cluster, hides values of Secrets, and writes nothing', {
  timeout: 180_000,
}, async () => {
  await releases.chart('1.0.0', {
    'map.yaml': `${COLOURED}{{- with .Values.password }}\n  password: {{ . }}\n{{- end }}\n`,
    'more.yaml': '{{ if .Values.more }}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-more}\n{{ end }}',
    'hook.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-hook, annotations: {helm.sh/hook: pre-upgrade}}\n',
    'far.yaml': '{{ with .Values.far }}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far, namespace: {{ . }}}\n{{ end }}',
  });
  const name = await releases.release('web', { values: { colour: 'blue', more: true } });
  await app.place([name], ['north', 'south'], 'HelmRelease');
  await releases.ready(name, 'True');
  const same = await diff(name, {});
  expect(same).toContain('"change":"unchanged"');
  expect(same).not.toMatch(/"change":"(changed|added|removed)"|"error"/);
  const changed = await diff(name, { values: { colour: 'green' } });
  expect(changed.split('"fields":[{"path":"data.colour","from":"blue","to":"green"}]')).toHaveLength(3);
  expect(changed.split('"change":"removed"')).toHaveLength(3);
  expect(changed).toContain(`${name}-more`);
  expect(changed).not.toContain(`${name}-hook`);
  expect(await diff(name, { values: { colour: 'blue', far: 'kube-system' } })).toContain('is not granted to this tenant');

  const secret = `${app.id}-values`;
  const stringData = { 'values.yaml': 'password: canary-5c1e77\n' };
  await app.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret, namespace: 'team-a' }, stringData });
  const hidden = await diff(name, { valuesFrom: [{ kind: 'Secret', name: secret }] });
  expect(hidden).toContain('data.password');
  expect(hidden).not.toContain('canary-5c1e77');

  expect(await releases.history('north', name)).toEqual([`1 deployed ${app.id}-1.0.0`]);
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data')).toEqual({ colour: 'blue' });
  expect(await app.live('north', configMapPath(`${name}-hook`))).toBe(null);
  const foreign = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', metadata: { name, namespace: 'team-a' }, spec: {} };
  expect((await callPlane(app.bob(), 'POST', `${collection}/${name}/diff`, foreign)).status).toBe(404);
});

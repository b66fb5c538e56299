import { beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { weir } from '#tests/cli/cli-harness.ts';
import { asPerson } from '#tests/cli/plane-access.ts';
import { writeObject, writeStatus } from '#tests/cli/plane-status.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const api = useApi();
const dir = useTemporaryDir();
const ready = [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: 'ok', lastTransitionTime: '2026-01-01T00:00:00Z' }];

beforeAll(async () => {
  const post = (path: string, body: JsonObject) => api.must('editor', path, { method: 'POST', body });
  await post('/apis/source.toolkit.fluxcd.io/v1/namespaces/acme/gitrepositories', {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'code', namespace: 'acme' },
    spec: { interval: '10m', url: 'https://git.example.com/acme/code' },
  });
  await post('/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations', {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps', namespace: 'acme' },
    spec: { interval: '10m', path: './', prune: true, sourceRef: { kind: 'GitRepository', name: 'code' } },
  });
  await writeStatus(api, 'GitRepository', 'code', () => ({
    conditions: ready,
    artifact: { revision: 'main@sha1:abc', digest: 'sha256:feed', path: '', url: '', lastUpdateTime: '2026-01-01T00:00:00Z' },
  }));
  const entries = [{ id: 'shop_web_apps_Deployment', v: 'v1' }];
  for (const cluster of ['east', 'west']) {
    const spec = { definition: { kind: 'Kustomization', name: 'apps' }, cluster: { namespace: 'weir-system', name: cluster } };
    await writeObject(
      api,
      'Delivery',
      `kustomization.apps.${cluster}`,
      { spec },
      {
        conditions: ready,
        lastAppliedRevision: 'main@sha1:abc',
        renderDigest: 'sha256:beef',
        inventory: { count: 1, entries },
      },
    );
  }
});

test('an object leads back to cluster, definition, source and commit', async () => {
  const me = await asPerson(api, dir(), 'viewer');
  const ran = await weir(me, 'trace', 'deployment', 'web', '--cluster', 'east');
  expect(ran.code, ran.err).toBe(0);
  expect(ran.out).toBe(
    [
      'Object:         Deployment/shop/web',
      'Cluster:        weir-system/east',
      'Applied:        main@sha1:abc  sha256:beef',
      'Kustomization:  acme/apps  Ready',
      'GitRepository:  acme/code  Ready',
      'URL:            https://git.example.com/acme/code',
      'Artifact:       main@sha1:abc  sha256:feed',
      '',
    ].join('\n'),
  );
  const json = JSON.parse((await weir(me, 'trace', 'Deployment', 'web', '--object-namespace', 'shop', '-o', 'json')).out);
  expect(json.items.map((one: { cluster: string }) => one.cluster)).toEqual(['weir-system/east', 'weir-system/west']);
});

test('a definition leads from each of its clusters to its source', async () => {
  const ran = await weir(await asPerson(api, dir(), 'viewer'), 'trace', 'Kustomization', 'apps');
  expect(ran.out.match(/^Cluster: +weir-system\/(east|west)$/gm)).toHaveLength(2);
  expect(ran.out).not.toContain('Object:');
});

test.each([
  ['another name', ['Deployment', 'api']],
  ['another kind', ['StatefulSet', 'web']],
  ['another namespace', ['Deployment', 'web', '--object-namespace', 'other']],
  ['another cluster', ['Deployment', 'web', '--cluster', 'north']],
])('what nobody brought is the answer no: %s', async (_case, args) => {
  const ran = await weir(await asPerson(api, dir(), 'viewer'), 'trace', ...args);
  expect([ran.code, ran.out]).toEqual([1, '']);
  expect(ran.err).toContain('weir get deliveries');
});

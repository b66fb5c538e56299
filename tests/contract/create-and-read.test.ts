import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const path = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations';
const kustomization = (name: string, spec: object = {}) => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name },
  spec: { interval: '10m', prune: true, path: './', sourceRef: { kind: 'GitRepository', name: 'src' }, ...spec },
});

beforeAll(() => api.newTenant('acme', { jane: 'editor', vic: 'viewer' }));

describe('one object', () => {
  it('is created with uid, version, generation and initial status', async () => {
    const made = await api.ask(path, { method: 'POST', as: 'jane', body: kustomization('apps') });
    expect(made, api.logged.join('\n')).toMatchObject({
      status: 201,
      body: {
        kind: 'Kustomization',
        metadata: { name: 'apps', namespace: 'acme', generation: 1, finalizers: ['finalizers.fluxcd.io'] },
        status: { observedGeneration: -1 },
      },
    });
    const got = await api.ask(`${path}/apps`, { as: 'vic' });
    expect(got.status).toBe(200);
    expect(got.body).toEqual(made.body);
  });

  it('is listed at the version of the snapshot', async () => {
    const list = await api.ask(path, { as: 'vic' });
    expect(list).toMatchObject({ status: 200, body: { kind: 'KustomizationList', apiVersion: 'kustomize.toolkit.fluxcd.io/v1' } });
    expect(list.body.items).toHaveLength(1);
  });

  it('cannot be created twice', async () => {
    const again = await api.ask(path, { method: 'POST', as: 'jane', body: kustomization('apps') });
    expect(again).toMatchObject({
      status: 409,
      body: {
        reason: 'AlreadyExists',
        message: 'kustomizations.kustomize.toolkit.fluxcd.io "apps" already exists',
        details: { name: 'apps', group: 'kustomize.toolkit.fluxcd.io', kind: 'kustomizations' },
      },
    });
  });
});

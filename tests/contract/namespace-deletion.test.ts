import { beforeAll, describe, expect, it } from 'vitest';
import { maintain } from '#services/api/maintenance/run.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const namespacePath = '/api/v1/namespaces/acme-old';
const kustomizations = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme-old/kustomizations';
const owner = 'acme-owner';

async function make(path: string, body: object): Promise<void> {
  const made = await api.ask(path, { method: 'POST', as: owner, body: JSON.stringify(body) });
  expect(made.status, made.text + api.logged.join('\n')).toBe(201);
}

beforeAll(async () => {
  await api.newTenant('acme');
  await make('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-old' } });
  await make('/api/v1/namespaces/acme-old/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key' },
    stringData: { token: 'x' },
  });
  await make(kustomizations, {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'apps' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'src' } },
  });
});

describe('a deleted namespace', () => {
  it('is Terminating while definitions tear down, and keeps what they need', async () => {
    const deleted = await api.ask(namespacePath, { method: 'DELETE', as: owner });
    expect(deleted, api.logged.join('\n')).toMatchObject({
      status: 200,
      body: { kind: 'Namespace', status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } },
    });
    const definition = await api.ask(`${kustomizations}/apps`, { as: owner });
    expect(definition).toMatchObject({
      status: 200,
      body: { metadata: { deletionGracePeriodSeconds: 0, finalizers: ['finalizers.fluxcd.io'], generation: 2 } },
    });
    expect((await api.ask('/api/v1/namespaces/acme-old/secrets/key', { as: owner })).status).toBe(200);
  });

  it('takes nothing new', async () => {
    const refused = await api.ask('/api/v1/namespaces/acme-old/configmaps', {
      method: 'POST',
      as: owner,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late' } },
    });
    expect(refused).toMatchObject({
      status: 403,
      body: {
        reason: 'Forbidden',
        message: 'unable to create new content in namespace acme-old because it is being terminated',
        details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
      },
    });
  });

  it('goes when the last definition let go', async () => {
    const patch = [{ op: 'remove', path: '/metadata/finalizers' }];
    const done = await api.ask(`${kustomizations}/apps`, {
      method: 'PATCH',
      as: owner,
      body: patch,
      headers: { 'content-type': 'application/json-patch+json' },
    });
    expect(done.status, done.text).toBe(200);
    await maintain(api.deps);
    expect((await api.ask(namespacePath, { as: owner })).status, api.logged.join('\n')).toBe(404);
    const [rows] = await api.plane.ask("select count(*)::int as left from weir.objects where namespace = 'acme-old'");
    expect(rows?.left).toBe(0);
    const again = await api.ask('/api/v1/namespaces', {
      method: 'POST',
      as: owner,
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-old' } },
    });
    expect(again.status, again.text).toBe(201);
  });
});

describe('owners', () => {
  it('take their dependents with them, and theirs', async () => {
    const path = '/api/v1/namespaces/acme/configmaps';
    const named = (name: string, owners: readonly object[] = []) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, ownerReferences: owners },
    });
    await make(path, named('top'));
    const uidOf = async (name: string) => ((await api.ask(`${path}/${name}`, { as: owner })).body.metadata as { uid: string }).uid;
    await make(path, named('other'));
    const reference = async (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: await uidOf(name) });
    await make(path, named('middle', [await reference('top')]));
    await make(path, named('bottom', [await reference('middle')]));
    await make(path, named('shared', [await reference('top'), await reference('other')]));
    await api.ask(`${path}/top`, { method: 'DELETE', as: owner });
    const left = await api.ask(path, { as: owner });
    expect((left.body.items as { metadata: { name: string } }[]).map((one) => one.metadata.name)).toEqual(['other', 'shared']);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { at, isObject, type JsonObject } from '#core/json.ts';
import { apiVersionOf } from '#core/resource.ts';
import { resources } from '#kinds/registry.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
beforeAll(() => api.newTenant('acme', { jane: 'editor' }));
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const kustomize = '/apis/kustomize.toolkit.fluxcd.io/v1';
const itemsOf = (body: JsonObject, key: string): readonly JsonObject[] => (Array.isArray(body[key]) ? body[key].filter(isObject) : []);

describe('discovery', () => {
  it.each(['/api', '/apis'])('%s answers both forms, with the exact type', async (path) => {
    const v2 = await api.ask(path, { as: 'jane', headers: { accept: `${aggregated},application/json` } });
    expect(v2).toMatchObject({
      status: 200,
      headers: { 'content-type': aggregated, vary: 'Accept' },
      body: { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' },
    });
    const legacy = await api.ask(path, { as: 'jane' });
    expect(legacy).toMatchObject({ status: 200, body: { kind: path === '/api' ? 'APIVersions' : 'APIGroupList' } });
    const again = await api.ask(path, { as: 'jane', headers: { 'if-none-match': String(legacy.headers.etag) } });
    expect(again.status).toBe(304);
  });

  it('names every resource of the registry in both forms', async () => {
    for (const one of resources) {
      const path = one.group === '' ? '/api/v1' : `/apis/${apiVersionOf(one)}`;
      const list = await api.ask(path, { as: 'jane' });
      const found = itemsOf(list.body, 'resources').find((entry) => entry.name === one.plural);
      expect(found).toMatchObject({
        kind: one.kind,
        namespaced: one.scope === 'Namespaced',
        singularName: one.singular,
        verbs: [...one.verbs],
      });
    }
    const v2 = await api.ask('/apis', { as: 'jane', headers: { accept: aggregated } });
    const group = itemsOf(v2.body, 'items').find((item) => at(item, 'metadata', 'name') === 'kustomize.toolkit.fluxcd.io');
    expect(at(group, 'versions')).toMatchObject([
      {
        version: 'v1',
        freshness: 'Current',
        resources: [
          {
            resource: 'kustomizations',
            scope: 'Namespaced',
            singularResource: 'kustomization',
            shortNames: ['ks'],
            subresources: expect.arrayContaining([expect.objectContaining({ subresource: 'status', verbs: ['get'] })]),
          },
        ],
      },
    ]);
  });

  it('prefers a version that is listed, and is the same for everyone', async () => {
    const mine = await api.ask('/apis', { as: 'jane' });
    for (const group of itemsOf(mine.body, 'groups')) expect(group.versions).toContainEqual(group.preferredVersion);
    expect((await api.ask('/apis', { as: 'nobody' })).text).toBe(mine.text);
  });

  it('asks for a token, /version does not', async () => {
    expect((await api.ask('/apis', { as: '' })).status).toBe(401);
    expect(await api.ask('/version', { as: '' })).toMatchObject({
      status: 200,
      body: { major: '1', minor: '37', gitVersion: expect.stringMatching(/^v1\.37\./) },
    });
  });
});

describe('OpenAPI v3', () => {
  it('names documents by hash, kept for good; a stale hash is redirected', async () => {
    const root = await api.ask('/openapi/v3', { as: 'jane' });
    const url = at(root.body, 'paths', kustomize.slice(1), 'serverRelativeURL');
    expect(url).toMatch(/^\/openapi\/v3\/apis\/kustomize\.toolkit\.fluxcd\.io\/v1\?hash=[0-9A-F]{128}$/);
    const document = await api.ask(typeof url === 'string' ? url : '', { as: 'jane' });
    expect(document).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'public, immutable', etag: expect.stringMatching(/^"[0-9A-F]{128}"$/) },
    });
    const stale = await api.ask(`/openapi/v3${kustomize}?hash=OLD`, { as: 'jane' });
    expect(stale).toMatchObject({ status: 301, headers: { location: url } });
  });

  it('has the PATCH that kubectl looks for, with the patch types of the kind', async () => {
    const flux = await api.ask(`/openapi/v3${kustomize}`, { as: 'jane' });
    const patch = at(flux.body, 'paths', `${kustomize}/namespaces/{namespace}/kustomizations/{name}`, 'patch');
    expect(patch).toMatchObject({
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization' },
    });
    expect(at(patch, 'parameters')).toContainEqual(expect.objectContaining({ name: 'fieldValidation', in: 'query' }));
    expect(Object.keys(at(patch, 'requestBody', 'content') ?? {})).toEqual(['application/json-patch+json', 'application/merge-patch+json']);
    const core = await api.ask('/openapi/v3/api/v1', { as: 'jane' });
    const secret = at(core.body, 'paths', '/api/v1/namespaces/{namespace}/secrets/{name}', 'patch', 'requestBody', 'content');
    expect(Object.keys(secret ?? {})).toContain('application/strategic-merge-patch+json');
    expect(at(core.body, 'components', 'schemas', 'io.k8s.api.core.v1.Secret', 'properties', 'data', 'additionalProperties')).toMatchObject(
      { type: 'string' },
    );
  });

  it('every operation of every resource that is served is described', async () => {
    for (const one of resources) {
      const path = one.group === '' ? '/api/v1' : `/apis/${apiVersionOf(one)}`;
      const document = await api.ask(`/openapi/v3${path}`, { as: 'jane' });
      const collection = `${path}${one.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''}/${one.plural}`;
      const described = {
        list: at(document.body, 'paths', collection, 'get'),
        create: at(document.body, 'paths', collection, 'post'),
        patch: at(document.body, 'paths', `${collection}/{name}`, 'patch'),
        delete: at(document.body, 'paths', `${collection}/{name}`, 'delete'),
      };
      for (const [verb, operation] of Object.entries(described))
        expect(operation !== undefined, `${verb} ${one.plural}`).toBe(one.verbs.some((have) => have === verb));
    }
  });

  it('v2 as protobuf is 406, which kubectl tolerates', async () => {
    expect(
      await api.ask('/openapi/v2', { as: 'jane', headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' } }),
    ).toMatchObject({ status: 406 });
  });
});

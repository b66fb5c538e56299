import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { addLedger } from '#adapters/postgres/ledger.ts';
import { insertObject, noConsequences } from '#adapters/postgres/objects.ts';
import { at, textAt } from '#core/json.ts';
import { scopeOfOwner } from '#core/tenant.ts';
import { weir } from '#tests/cli/cli-harness.ts';
import { asPerson } from '#tests/cli/plane-access.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { newObject } from '#tests/postgres/plane.ts';

/** `weir history` and the history subresource behind it, over ledger rows as runs write them. */

const api = useApi();
const dir = useTemporaryDir();
const PATH = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations/apps/history';

beforeAll(async () => {
  const spec = { interval: '10m', path: './', prune: true, sourceRef: { kind: 'GitRepository', name: 'apps' } };
  const body = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', metadata: { name: 'apps', namespace: 'acme' }, spec };
  const made = await api.must('editor', '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations', { method: 'POST', body });
  const definitionId = textAt(made, 'metadata', 'uid') ?? '';
  const tenant = await api.plane.db.directory.tenantOfNamespace('acme');
  const scope = scopeOfOwner({ ownerTenantId: tenant?.tenantId ?? '' }, { name: 'test', via: 'worker' });
  await api.plane.db.inTenant(scope, async (tx) => {
    const delivery = newObject({
      kind: 'Delivery',
      namespace: 'acme',
      name: 'kustomization.apps.east',
      body: { spec: { cluster: { namespace: 'weir-system', name: 'east' } } },
    });
    const { uid } = await insertObject(tx, delivery, noConsequences);
    const clusterId = randomUUID();
    for (let fence = 1; fence <= 5; fence += 1) {
      await addLedger(
        tx,
        { unitId: fence === 1 ? randomUUID() : uid, fence, definitionId, clusterId },
        {
          cause: fence === 5 ? 'user:alice' : 'dependency changed',
          actor: fence === 5 ? 'alice' : 'weir',
          revision: `main@sha1:${fence}`,
          originRevision: null,
          artifactDigest: null,
          renderDigest: `sha256:${fence}`,
          outcome: fence === 4 ? 'failed' : 'ready',
          reason: fence === 4 ? 'BuildFailed' : 'ReconciliationSucceeded',
          message: `attempt ${fence}`,
          objects: [
            { id: 'acme_a__ConfigMap', action: 'created' },
            { id: 'acme_b__ConfigMap', action: 'created' },
            { id: 'acme_c__ConfigMap', action: 'deleted' },
          ],
          durationMs: 12,
        },
      );
    }
  });
});

test('the newest attempt comes first, with who, why, which revision and what became of the objects', async () => {
  const me = await asPerson(api, dir(), 'viewer');
  const ran = await weir(me, 'history', 'ks', 'apps');
  expect(ran.code, ran.err).toBe(0);
  const [titles = '', first = '', second = ''] = ran.out.split('\n');
  expect(titles.split(/ {2,}/)).toEqual(['WHEN', 'CLUSTER', 'RESULT', 'REVISION', 'ACTOR', 'CAUSE', 'OBJECTS']);
  expect(first).toMatch(/^\d{4}-.*Z +east +ReconciliationSucceeded +main@sha1:5 +alice +user:alice +2 created, 1 deleted$/);
  expect(second).toContain('BuildFailed');
  expect((await weir(me, 'history', 'ks', 'apps', '-o', 'wide')).out).toContain('sha256:4');
  const json = JSON.parse((await weir(me, 'history', 'ks', 'apps', '-o', 'json')).out);
  expect(json.items.map((one: { revision: string }) => one.revision)).toEqual([5, 4, 3, 2, 1].map((n) => `main@sha1:${n}`));
  expect(json.items.at(-1).cluster, 'a delivery that is gone has no name any more').toBe('');
});

test('one cluster, pages, and limits that are none', async () => {
  const me = await asPerson(api, dir(), 'viewer');
  const onEast = JSON.parse((await weir(me, 'history', 'ks', 'apps', '--cluster', 'east', '-o', 'json')).out);
  expect(onEast.items).toHaveLength(4);
  const some = await weir(me, 'history', 'ks', 'apps', '--limit', '2');
  expect(some.out.trim().split('\n')).toHaveLength(3);
  expect(some.err).toContain('there is more');
  const first = await api.must('viewer', `${PATH}?limit=2`);
  const rest = await api.must('viewer', `${PATH}?limit=500&continue=${textAt(first, 'metadata', 'continue')}`);
  expect((at(rest, 'items') as readonly { message: string }[]).map((one) => one.message)).toEqual(['attempt 3', 'attempt 2', 'attempt 1']);
  expect(at(rest, 'metadata')).toEqual({});
  for (const limit of ['0', '501', 'x', '-1']) expect((await api.ask('viewer', `${PATH}?limit=${limit}`)).status, limit).toBe(400);
  expect((await weir(me, 'history', 'ks', 'apps', '--limit', '9999')).code).toBe(2);
});

test('a stranger’s answer is that of a missing one; another kind has none and says what has', async () => {
  const foreign = await api.ask('stranger', PATH);
  const missing = await api.ask('stranger', PATH.replace('/apps/', '/nothing/'));
  expect([foreign.status, foreign.text.replaceAll('apps', 'nothing')]).toEqual([missing.status, missing.text]);
  expect((await api.ask('viewer', PATH.replace('/apps/', '/nothing/'))).status).toBe(404);
  expect((await weir(await asPerson(api, dir(), 'viewer'), 'history', 'ks', 'nothing')).code).toBe(1);
  const other = await weir(await asPerson(api, dir(), 'viewer'), 'history', 'gitrepository', 'apps');
  expect([other.code, other.err.includes('weir events')]).toEqual([2, true]);
});

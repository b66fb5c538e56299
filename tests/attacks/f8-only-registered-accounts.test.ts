import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { textAt } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import type { GitServer } from '#deploy/local/git-server.ts';
import { askedByPlane } from '#tests/attacks/cluster-audit.ts';
import {
  asSuperuser,
  deliveries,
  grantsRelayed,
  make,
  object,
  openGit,
  pathOf,
  settled,
  source,
  type Told,
} from '#tests/attacks/two-tenants.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { attackPlane } from '#tests/harness/parts.ts';

/** Names that somebody might try: of the plane, of the other tenant, of the cluster itself, of no account, and of what only looks like a registered one. */
const strangers: Readonly<Record<string, string>> = {
  own: 'tenant-team-b',
  other: 'tenant-team-a',
  bootstrap: 'weir-bootstrap',
  default: 'default',
  controller: 'generic-garbage-collector',
  qualified: 'team-a/deployer',
  user: 'system:serviceaccount:weir-system:tenant-team-a',
  climbing: '../weir-bootstrap',
  subresource: 'weir-bootstrap/token',
  empty: '',
  blank: ' ',
  padded: 'deployer ',
  capital: 'Deployer',
  cyrillic: 'dеployer',
  invisible: 'deployer\u200b',
};
const tenants = [
  ['team-a', 'alice'],
  ['team-b', 'bob'],
] as const;

const children = useChildren('file');
const dir = useTemporaryDir('file');
let plane: SharedAttackPlane;
let git: GitServer;
const refused: Told[] = [];

beforeAll(async () => {
  plane = await attackPlane();
  git = await openGit(plane, children, join(dir(), 'git'));
  await git.createRepository('f8', {
    access: { readers: 'everybody', credentials: [] },
    files: { 'app.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: f8\ndata:\n  a: b\n' },
  });
  const { alice, bob } = plane.people;
  await Promise.all([source(alice, 'team-a', git, 'f8'), source(bob, 'team-b', git, 'f8'), letDeployerWork(), makePrivateAccount()]);
  await make(alice, 'ClusterAccount', 'team-a', 'deployer', {
    spec: { cluster: 'east', namespace: 'team-a', serviceAccountName: 'deployer' },
  });
  for (const [tenant, person] of tenants)
    await make(plane.people[person], 'Placement', tenant, 'f8', {
      spec: {
        definitions: { kinds: ['Kustomization'], selector: { matchLabels: { case: 'f8' } } },
        clusters: { names: ['east', 'west'] },
      },
    });
});

afterAll(() => git.stop());

async function onEast(method: string, path: string, body: unknown): Promise<JsonObject> {
  const east = plane.clusters.find((one) => one.name === 'east');
  if (east === undefined) throw new Error('no cluster east');
  const answer = await callCluster(east.admin, { method, path, body });
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.body as JsonObject;
}

async function bindAll(namespace: string, account: string): Promise<void> {
  await onEast('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
    metadata: { name: `f8-${account}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
  });
}

const letDeployerWork = () => bindAll('team-a', 'deployer');

/** An account that team-b made for itself, and the kubeconfig with its token. */
async function makePrivateAccount(): Promise<void> {
  await onEast('POST', '/api/v1/namespaces/team-b/serviceaccounts', { metadata: { name: 'private' } });
  await bindAll('team-b', 'private');
  const minted = await onEast('POST', '/api/v1/namespaces/team-b/serviceaccounts/private/token', { spec: { expirationSeconds: 3_600 } });
  const east = plane.clusters.find((one) => one.name === 'east');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: east?.server, 'certificate-authority-data': Buffer.from(east?.caPem ?? '').toString('base64') } },
    ],
    users: [{ name: 'u', user: { token: textAt(minted, 'status', 'token') ?? '' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await make(plane.people.bob, 'Secret', 'team-b', 'f8-own', { stringData: { value: JSON.stringify(config) } });
  await make(plane.people.alice, 'Secret', 'team-a', 'f8-hers', { stringData: { value: JSON.stringify(config) } });
}

function spec(more: JsonObject): JsonObject {
  return { spec: { interval: '10m', prune: true, path: './', sourceRef: { kind: 'GitRepository', name: 'f8' }, ...more } };
}

const selected: JsonObject = { labels: { case: 'f8' } };

describe('F8: the account must be in the tenant’s registered set for that cluster', () => {
  test('15 accounts × 2 tenants × 2 clusters: refused by the API, or Stalled AccessDenied with the next step', async () => {
    const accepted: (readonly [string, 'alice' | 'bob', string, string])[] = [];
    for (const [tenant, person] of tenants)
      for (const [what, account] of Object.entries(strangers)) {
        const name = `f8-${what}`;
        const wanted = object('Kustomization', tenant, name, spec({ serviceAccountName: account }), selected);
        const answer = await callPlane(plane.people[person], 'POST', pathOf('Kustomization', tenant), wanted);
        if (answer.status === 201) accepted.push([tenant, person, name, account]);
        else {
          expect([answer.status, textAt(answer.body, 'reason')], name).toEqual([422, 'Invalid']);
          expect(textAt(answer.body, 'message')).toContain('serviceAccountName');
        }
      }
    expect(accepted.length).toBeGreaterThan(16);
    for (const [tenant, person, name, account] of accepted) {
      const told = await deliveries(plane.people[person], tenant, name, 2);
      for (const cluster of ['east', 'west']) {
        const one = told[cluster];
        expect(one, `${tenant}/${name} on ${cluster}`).toMatchObject({ status: 'False', reason: 'AccessDenied', stalled: true });
        expect(one?.message).toContain(`spec.serviceAccountName ${account}`);
        expect(one?.message).toContain(`cluster ${cluster}`);
        expect(one?.message).toMatch(/ClusterAccount.*create one, or remove the field/);
        if (one !== undefined) refused.push(one);
      }
    }
  });

  test('an account is registered for one tenant on one cluster: the twin runs there and nowhere else', async () => {
    const { alice, bob } = plane.people;
    await make(alice, 'Kustomization', 'team-a', 'f8-deployer', spec({ serviceAccountName: 'deployer' }), selected);
    await make(bob, 'Kustomization', 'team-b', 'f8-deployer', spec({ serviceAccountName: 'deployer' }), selected);
    const [hers, his] = [await deliveries(alice, 'team-a', 'f8-deployer', 2), await deliveries(bob, 'team-b', 'f8-deployer', 2)];
    expect(hers['east']).toMatchObject({ status: 'True' });
    for (const one of [hers['west'], his['east'], his['west']]) expect(one).toMatchObject({ reason: 'AccessDenied', stalled: true });
  });

  test('a ClusterAccount that names what is not the tenant’s own registers nothing', async () => {
    const { bob } = plane.people;
    const wanted = [
      ['hers', 'team-a', 'deployer'],
      ['default', 'weir-system', 'tenant-team-a'],
      ['bootstrap', 'weir-system', 'weir-bootstrap'],
      ['system', 'kube-system', 'generic-garbage-collector'],
    ] as const;
    for (const [name, namespace, serviceAccountName] of wanted) {
      const account = object('ClusterAccount', 'team-b', `f8-${name}`, { spec: { cluster: 'east', namespace, serviceAccountName } });
      const answer = await callPlane(bob, 'POST', pathOf('ClusterAccount', 'team-b'), account);
      expect([201, 403, 422], name).toContain(answer.status);
      await grantsRelayed(plane);
      await make(bob, 'Kustomization', 'team-b', `f8-by-${name}`, spec({ serviceAccountName }), selected);
      const told = await deliveries(bob, 'team-b', `f8-by-${name}`, 2);
      for (const one of Object.values(told)) expect(one, name).toMatchObject({ reason: 'AccessDenied', stalled: true });
    }
  });

  test('a kubeconfig of another tenant is a missing one; with an own one, an account is only what its credential may mint', async () => {
    const { bob } = plane.people;
    const ask = async (name: string, more: JsonObject): Promise<Told> => {
      await make(bob, 'Kustomization', 'team-b', name, spec(more));
      return settled(bob, 'Kustomization', 'team-b', name);
    };
    const foreign = await ask('f8-foreign', { kubeConfig: { secretRef: { name: 'f8-hers' } } });
    expect(foreign.status).toBe('False');
    expect(foreign.message).toMatch(/Secret 'team-b\/f8-hers' not found: create it/);
    for (const account of ['tenant-team-a', 'weir-bootstrap']) {
      const minted = await ask(`f8-own-${account}`, { kubeConfig: { secretRef: { name: 'f8-own' } }, serviceAccountName: account });
      expect(minted.status, minted.message).toBe('False');
      expect(minted.message).toContain(`team-b:${account}`);
    }
    expect(await ask('f8-private', { kubeConfig: { secretRef: { name: 'f8-own' } } })).toMatchObject({ status: 'True' });
  });

  test('the clusters’ own audit logs: tokens of registered accounts, and requests by nobody else', async () => {
    const account = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`;
    for (const cluster of plane.clusters) {
      const isEast = cluster.name === 'east';
      const asked = await askedByPlane(cluster);
      expect(asked.length).toBeGreaterThan(5);
      const users = new Set(asked.map((one) => one.user));
      const known = [
        account('weir-system', 'weir-bootstrap'),
        account('weir-system', 'tenant-team-a'),
        account('weir-system', 'tenant-team-b'),
      ];
      const extra = isEast ? [account('team-a', 'deployer'), account('team-b', 'private')] : [];
      expect([...users].filter((one) => !known.includes(one) && !extra.includes(one))).toEqual([]);
      const minted = asked.filter((one) => one.resource === 'serviceaccounts/token' && one.code < 300);
      const names = new Set(minted.map((one) => `${one.namespace}/${one.name}`));
      const registered = [
        'weir-system/tenant-team-a',
        'weir-system/tenant-team-b',
        'weir-system/weir-bootstrap',
        ...(isEast ? ['team-a/deployer'] : []),
      ];
      expect([...names].filter((one) => !registered.includes(one))).toEqual([]);
      if (isEast) expect(users).toContain(account('team-a', 'deployer'));
    }
  });

  test('observer E: each refusal has one stable reason, is in the ledger, ends retries, and who wrote the definition is in the audit', async () => {
    expect(new Set(refused.map((one) => one.reason))).toEqual(new Set(['AccessDenied']));
    await asSuperuser(plane, async (client) => {
      const { rows: units } = await client.query<{ name: string; due: string | null; reasons: string[] }>(
        `select o.name, min(w.due_at)::text as due, array_agg(distinct l.reason) as reasons
          from weir.objects o join weir.work w on w.definition_id = o.uid and w.cluster_id is not null join weir.ledger l on l.unit_id = w.unit_id
          where o.kind = 'Kustomization' and o.name = any($1) group by o.name, o.namespace`,
        [['f8-default', 'f8-bootstrap', 'f8-cyrillic']],
      );
      expect(units).toHaveLength(6);
      for (const one of units) expect(one).toMatchObject({ due: null, reasons: ['AccessDenied'] });
      const { rows: audited } = await client.query(
        `select 1 from weir.audit where entry::json ->> 'name' = 'f8-bootstrap' and entry::json ->> 'verb' = 'create' and entry::json ->> 'kind' = 'Kustomization'`,
      );
      expect(audited).toHaveLength(2);
    });
  });
});
